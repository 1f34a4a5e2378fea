#include "base/cur.h"

#include <string.h>

#include "base/number.h"

void
cur_fail(struct cur *c, err_t why)
{
	if (c->err == OK) {
		c->err = why;
		c->err_at = c->pos;
	}
}

const uint8_t *
cur_take(struct cur *c, size_t n)
{
	if (c->err != OK) {
		return NULL;
	}
	if (n > c->len - c->pos) {
		cur_fail(c, E_SHORT);
		return NULL;
	}
	const uint8_t *at = c->base + c->pos;
	c->pos += n;
	return at;
}

uint8_t
cur_u8(struct cur *c)
{
	const uint8_t *p = cur_take(c, 1);
	return p != NULL ? p[0] : 0;
}

uint16_t
cur_u16(struct cur *c)
{
	const uint8_t *p = cur_take(c, 2);
	return p != NULL ? u16_at(p) : 0;
}

uint32_t
cur_u32(struct cur *c)
{
	const uint8_t *p = cur_take(c, 4);
	return p != NULL ? u32_at(p) : 0;
}

uint64_t
cur_u48(struct cur *c)
{
	uint64_t high = cur_u16(c);
	return high << 32 | cur_u32(c);
}

void
cur_copy(struct cur *c, uint8_t *dst, size_t n)
{
	const uint8_t *p = cur_take(c, n);
	if (n == 0) {
		return;
	}
	if (p != NULL) {
		memcpy(dst, p, n);
	} else {
		memset(dst, 0, n);
	}
}
