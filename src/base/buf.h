/* base/buf.h -- a bounds-safe writer into memory of a fixed size, the counterpart of struct cur.
 *
 * A buffer borrows [base, base + cap).  The first write that does not fit latches E_FULL and writes nothing; later writes do
 * nothing either.  Test `err` once, at the end.  To take back a part that did not fit, remember `len` before it, and call
 * buf_rewind().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
	uint8_t *base; /* borrowed */
	size_t cap;
	size_t len; /* octets written; invariant: len <= cap */
	err_t err;
};

static inline struct buf
buf_over(uint8_t *bytes, size_t cap)
{
	return (struct buf){ .base = bytes, .cap = cap };
}

static inline size_t
buf_room(const struct buf *b)
{
	return b->err == OK ? b->cap - b->len : 0;
}

void buf_fail(struct buf *b, err_t why);

/* Forgets all after the first `len` octets, and any error.  len <= b->len. */
void buf_rewind(struct buf *b, size_t len);

/* Takes room for `n` octets, which the caller fills; NULL: there is no room. */
uint8_t *buf_take(struct buf *b, size_t n);

void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v); /* host order in, network order out */
void buf_u32(struct buf *b, uint32_t v);
void buf_u48(struct buf *b, uint64_t v);
void buf_put(struct buf *b, const void *bytes, size_t n);

/* Overwrites two octets that were written before, at `at` (at + 2 <= len). */
void buf_patch_u16(struct buf *b, size_t at, uint16_t v);
