/* git/packout.h -- private to src/git: makes a pack and its index (gitformat-pack(5), version 2 of both).
 *
 * Pure: it happens in memory.  An object goes in as a whole, or as an entry copied from another pack.  The caller must
 * not put in the same id twice.  Errors are latched and come out of pack_out_finish().
 */
#pragma once

#include "base/str.h"
#include "git/idmap.h"
#include "git/pack.h"

enum {
	/* zlib's levels.  They are low, since the pack of a push lasts only until a repack makes deltas of its objects.  29 kB
	 * of zone text take 0.15 ms at level 2, and 0.77 ms at zlib's default 6, with a result that is 5 per cent smaller.
	 * 31 MB take 0.17 s at level 1, 0.22 s at 2, and 2.2 s at 6. */
	PACK_LEVEL = 2,
	PACK_LEVEL_LARGE = 1,
	PACK_LARGE = 1 << 16,        /* octets; from here on PACK_LEVEL_LARGE */
	PACK_OUT_MAX = 1 << 30,      /* octets of a pack; a larger one could need offsets of eight octets */
};

/* Zero-initialised it is empty and ready. */
struct pack_out {
	struct str bytes;    /* the pack; whole after pack_out_finish() */
	struct str index;    /* after pack_out_finish() */
	uint8_t sum[ID_LEN]; /* after pack_out_finish(): the pack's checksum, which is also its name */
	struct pack_slot {
		uint8_t id[ID_LEN];
		uint32_t crc; /* of the entry */
		size_t at;    /* where the entry begins in the pack */
	} *slots;
	size_t n, cap;
	err_t err;
};

void pack_out_object(struct pack_out *o, enum pack_type type, const uint8_t id[ID_LEN], const void *data, size_t len);

/* Adds an entry in two pieces: its head (type, size, base), and the deflated data. */
void pack_out_entry(struct pack_out *o, const uint8_t id[ID_LEN], const struct str *head, const void *rest, size_t rest_len);

/* Appends type and size of an entry to `out`, which becomes its head.  The caller adds the base of a PACK_OFS_DELTA or
 * PACK_REF_DELTA. */
void pack_put_head(struct str *out, enum pack_type type, size_t len);
void pack_put_back(struct str *out, size_t back); /* the base of a PACK_OFS_DELTA: how far before the entry it begins */

/* E_LIMIT: over PACK_OUT_MAX, E_NOMEM, E_CRYPTO. */
err_t pack_out_finish(struct pack_out *o);

void pack_out_fini(struct pack_out *o);
