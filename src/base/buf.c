#include "base/buf.h"

#include <string.h>

#include "base/number.h"

void
buf_fail(struct buf *b, err_t why)
{
	if (b->err == OK) {
		b->err = why;
	}
}

void
buf_rewind(struct buf *b, size_t len)
{
	ASSERT(len <= b->len);
	b->len = len;
	b->err = OK;
}

uint8_t *
buf_take(struct buf *b, size_t n)
{
	if (b->err != OK) {
		return NULL;
	}
	if (n > b->cap - b->len) {
		b->err = E_FULL;
		return NULL;
	}
	uint8_t *at = b->base + b->len;
	b->len += n;
	return at;
}

void
buf_u8(struct buf *b, uint8_t v)
{
	uint8_t *p = buf_take(b, 1);
	if (p != NULL) {
		p[0] = v;
	}
}

void
buf_u16(struct buf *b, uint16_t v)
{
	uint8_t *p = buf_take(b, 2);
	if (p != NULL) {
		u16_put(p, v);
	}
}

void
buf_u32(struct buf *b, uint32_t v)
{
	uint8_t *p = buf_take(b, 4);
	if (p != NULL) {
		u32_put(p, v);
	}
}

void
buf_u48(struct buf *b, uint64_t v)
{
	uint8_t *p = buf_take(b, 6);
	for (int i = 5; p != NULL && i >= 0; i--, v >>= 8) {
		p[i] = (uint8_t)v;
	}
}

void
buf_put(struct buf *b, const void *bytes, size_t n)
{
	uint8_t *p = buf_take(b, n);
	if (p != NULL && n != 0) {
		memcpy(p, bytes, n);
	}
}

void
buf_patch_u16(struct buf *b, size_t at, uint16_t v)
{
	ASSERT(at + 2 <= b->len);
	u16_put(b->base + at, v);
}
