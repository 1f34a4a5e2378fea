/* auth/saved_zone.h -- a zone as a secondary keeps it in a file: written once as a whole, then followed by what changed.
 *
 *     file    = "origin zone  1\n" NUL, HEAD, RECORDS ..., END, (CHANGE | REFRESH) ...
 *     block   = kind (1), length of its content (4), check (8), content
 *     HEAD    = apex, serial (4), newest serial served (4), is it ambiguous? (1), changed (6), refresh
 *     RECORDS = record ...
 *     END     = number of all records (8)
 *     CHANGE  = refresh, old serial (4), new serial (4), number of removed (4) and added (4) records, record ...    (as in IXFR)
 *     REFRESH = refresh
 *     refresh = time (6), state (1), family (1), address (16), port (2), name of the key
 *     state   = 0: served, 1: withdrawn, 3: withdrawn, as its catalog lists it no more
 *     name    = length (1), octets in wire form; the name of a key may have length 0: none
 *     record  = owner (a name; length 0: that of the record before), type (2), class (2), TTL (4), length (2), RDATA
 *
 * Numbers are in network order, times in seconds since 1970.  The check is a part of the SHA-256 of the check before, kind, length and
 * content: so a block counts only behind the blocks that it was written behind.
 *
 * A change costs by its own size, and nothing that was written is written again.  When a write is cut short, the file ends behind the last
 * block that is good, and only what came after is lost.  But a file that is not good up to END is damaged as a whole.  So is one with a
 * block that is good and makes no sense.
 *
 * What a zone was before it was written as a whole is not kept: an incremental transfer to others begins there at the earliest.
 *
 * Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/key.h"
#include "base/buf.h"
#include "base/err.h"
#include "dns/name.h"
#include "zone/history.h"
#include "zone/zone.h"

enum {
	SAVED_MAGIC_LEN = 16,
	SAVED_CHECK_LEN = 8,
	SAVED_FRAME_LEN = 1 + 4 + SAVED_CHECK_LEN,
	SAVED_BLOCK_MAX = 4 << 20,   /* octets of one block's content; a larger change is not written as one */
	SAVED_REFRESH_MAX = 6 + 1 + 1 + 16 + 2 + 1 + NAME_WIRE_MAX,
	SAVED_NAME_MAX = 128,        /* a file's name, NUL included */
	SAVED_WHY_MAX = 200,
};

#define SAVED_SUFFIX ".zone-state" /* of a file's name: no master file or other program has it */

/* When a primary last said that the version is the newest, or that there is no such zone any more; and which one. */
struct saved_refresh {
	uint64_t at_s;
	bool is_withdrawn;
	bool is_unlisted;            /* likewise; its catalog lists it no more */
	struct key_address address;
	uint16_t port;
	struct name key;             /* len 0: none is known */
};

/* The end of a file, where the next block goes. */
struct saved_mark {
	uint64_t len, whole_len;     /* of the file; of its part up to END */
	uint8_t check[SAVED_CHECK_LEN];
};

/* The name of the zone's file, which any system can have, and no other zone has. */
void saved_file_name(const uint8_t *apex, char out[SAVED_NAME_MAX]);

/* ---- writing ---- */

/* Gives the file of a zone to write(), from the beginning on, in pieces of up to some 100 kB.  `changed_s`: since when it has this version.
 * An error of write() ends it.  E_NOMEM. */
err_t saved_write_zone(const struct zone *z, uint64_t changed_s, const struct saved_refresh *r,
                       err_t (*write)(void *ctx, const uint8_t *bytes, size_t len), void *ctx, struct saved_mark *mark);

/* Octets of the block for that change; larger than SAVED_FRAME_LEN + SAVED_BLOCK_MAX: it cannot be written so. */
size_t saved_change_len(const struct delta *d);

/* Writes the next block, and moves the mark behind it.  When `out` has no room for it, that is latched there, and the mark is not to be
 * used. */
void saved_write_change(const struct delta *d, const struct saved_refresh *r, struct buf *out, struct saved_mark *mark);
void saved_write_refresh(const struct saved_refresh *r, struct buf *out, struct saved_mark *mark);

/* ---- reading ---- */

struct saved_zone {
	struct zone *zone;           /* owned by the caller; with the changes that the file has as its history */
	uint64_t changed_s;
	struct saved_refresh refresh;
	struct saved_mark mark;      /* where the good blocks end */
	bool is_cut;                 /* what follows there is none */
};

struct saved_in;

/* `octets_max`: memory that the zone may take. */
err_t saved_in_new(size_t octets_max, struct saved_in **out);  /* E_NOMEM */
void saved_in_free(struct saved_in **in); /* NULL-safe */

/* Takes the blocks that are whole at the beginning of the next octets of the file: *used of them.  *wanted: so many octets are needed from
 * there for the next one; 0: no more will be taken.  E_FORMAT: the file is damaged; E_UNSUPPORTED: it is of another format, or
 * none of ours; E_LIMIT, E_NOMEM.  After an error only saved_in_why() and saved_in_free() are left. */
err_t saved_in_take(struct saved_in *in, const uint8_t *bytes, size_t len, size_t *used, size_t *wanted);

/* The file ends; `left`: octets of it that were not used.  Errors as above. */
err_t saved_in_finish(struct saved_in *in, size_t left, struct saved_zone *out);

/* After an error: what is wrong, and where, for people. */
const char *saved_in_why(const struct saved_in *in);
