/* base/cur.h -- a bounds-safe read cursor over bytes that we do not trust.
 *
 * A cursor borrows [base, base + len).  The first failure is latched in `err`, with its offset in `err_at`; from then on every
 * read returns zero and moves nothing.  So a parser can read a whole layout without branches, and test `err` once, at the end.
 *
 * Pure: no allocation, no logging, no clock.  Offsets are octets from `base`.  Not thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct cur {
	const uint8_t *base; /* borrowed */
	size_t len;          /* octets readable from base */
	size_t pos;          /* next octet; invariant: pos <= len */
	size_t err_at;       /* offset of the first failure; set when err != OK */
	err_t err;
};

static inline struct cur
cur_over(const uint8_t *bytes, size_t len)
{
	return (struct cur){ .base = bytes, .len = len };
}

/* Latches `why`, unless there was an earlier error. */
void cur_fail(struct cur *c, err_t why);

/* Octets not yet read; 0 after an error. */
static inline size_t
cur_left(const struct cur *c)
{
	return c->err == OK ? c->len - c->pos : 0;
}

uint8_t cur_u8(struct cur *c);
uint16_t cur_u16(struct cur *c); /* network order in, host order out */
uint32_t cur_u32(struct cur *c);
uint64_t cur_u48(struct cur *c); /* TSIG's time (RFC 8945 4.2) */

/* Copies `n` octets to `dst`.  On E_SHORT `dst` is zeroed, never left uninitialised. */
void cur_copy(struct cur *c, uint8_t *dst, size_t n);

/* Borrows the next `n` octets, and moves past them; NULL after an error, even if n is 0. */
const uint8_t *cur_take(struct cur *c, size_t n);
