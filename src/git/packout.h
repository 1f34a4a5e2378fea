/* git/packout.h -- private to src/git: makes a pack and its index (gitformat-pack(5), version 2 of both).
 *
 * Pure: it happens in memory.  Objects go in whole or as they stand in another pack; each id once, which is for the caller to
 * see to.  Errors are latched and come out of pack_out_finish().
 */
#pragma once

#include "base/str.h"
#include "git/idmap.h"
#include "git/pack.h"

enum {
	/* How hard to deflate.  A pack of a push lasts until it is joined with others, as deltas; 29 kB of zone text take 0.15 ms at
	 * level 2 and 0.77 ms at zlib's own 6, for 5 per cent less; 31 MB take 0.17 s at level 1, 0.22 s at 2, 2.2 s at 6. */
	PACK_LEVEL = 2,
	PACK_LEVEL_LARGE = 1,
	PACK_LARGE = 1 << 16,        /* octets */
	PACK_OUT_MAX = 1 << 30,      /* octets of a pack; less than what needs offsets of eight octets */
};

/* Zero-initialised it is empty and ready. */
struct pack_out {
	struct str bytes;    /* the pack; whole after pack_out_finish() */
	struct str index;    /* after pack_out_finish() */
	uint8_t sum[ID_LEN]; /* after pack_out_finish(): the pack's checksum, which is its name, too */
	struct pack_slot {
		uint8_t id[ID_LEN];
		uint32_t crc; /* of what stands in the pack */
		size_t at;
	} *slots;
	size_t n, cap;
	err_t err;
};

void pack_out_object(struct pack_out *o, enum pack_type type, const uint8_t id[ID_LEN], const void *data, size_t len);

/* An entry as two pieces: head (type, size, base), and what is deflated. */
void pack_out_entry(struct pack_out *o, const uint8_t id[ID_LEN], const struct str *head, const void *rest, size_t rest_len);

/* The head of an entry: `len` inflated octets.  PACK_OFS_DELTA and PACK_REF_DELTA want their base after it. */
void pack_put_head(struct str *out, enum pack_type type, size_t len);
void pack_put_back(struct str *out, size_t back); /* for PACK_OFS_DELTA: how far before its entry the base begins */

/* E_LIMIT: over PACK_OUT_MAX, E_NOMEM, E_CRYPTO. */
err_t pack_out_finish(struct pack_out *o);

void pack_out_fini(struct pack_out *o);
