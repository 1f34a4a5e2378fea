/* git/pack.h -- private to src/git: reads the pack of a fetch (gitformat-pack(5), version 2).
 *
 * Pure: bytes in, entries out.  A pack may be hostile: every length is checked, and no object larger than
 * PACK_OBJECT_MAX is made.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cur.h"
#include "base/err.h"

enum { PACK_ID = 20, PACK_HEADER = 12, PACK_OBJECT_MAX = 1 << 30 };

enum pack_type { PACK_COMMIT = 1, PACK_TREE = 2, PACK_BLOB = 3, PACK_TAG = 4, PACK_OFS_DELTA = 6, PACK_REF_DELTA = 7 };

struct pack_entry {
	size_t at;             /* where the entry begins in the pack */
	enum pack_type type;
	size_t base_at;        /* PACK_OFS_DELTA: where the base begins; that is before `at` */
	uint8_t base[PACK_ID]; /* PACK_REF_DELTA: the base, which need not be in this pack */
	uint8_t *data;         /* inflated: the object, or the delta.  The caller's, to be freed */
	size_t len;
};

/* Checks header and checksum, and gives a cursor over the entries.  E_FORMAT, E_SHORT, E_UNSUPPORTED (another version). */
err_t pack_open(const uint8_t *bytes, size_t len, struct cur *entries, uint32_t *n);

/* Reads the head of the next entry.  Afterwards the cursor is where the deflated data begin, and out->data is NULL.
 * E_FORMAT, E_SHORT, E_LIMIT. */
err_t pack_read_head(struct cur *entries, struct pack_entry *out);

/* The next entry.  E_FORMAT, E_SHORT, E_LIMIT: larger than `max`, E_NOMEM. */
err_t pack_next(struct cur *entries, size_t max, struct pack_entry *out);

/* Makes an object from its base; *out is to be freed.  E_FORMAT, E_LIMIT: larger than `max`, E_NOMEM. */
err_t delta_apply(const uint8_t *delta, size_t delta_len, const uint8_t *base, size_t base_len, size_t max, uint8_t **out,
                  size_t *out_len);
