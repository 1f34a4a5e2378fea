#include "git/pack.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "crypto/sha.h"

err_t
pack_open(const uint8_t *bytes, size_t len, struct cur *entries, uint32_t *n)
{
	uint8_t sum[PACK_ID];
	if (len < PACK_HEADER + PACK_ID) {
		return E_SHORT;
	}
	struct cur c = cur_over(bytes, len - PACK_ID);
	uint32_t magic = cur_u32(&c), version = cur_u32(&c), count = cur_u32(&c);
	if (magic != 0x5041434B) { /* "PACK" */
		return E_FORMAT;
	}
	if (version != 2) {
		return E_UNSUPPORTED;
	}
	TRY(sha1(bytes, len - PACK_ID, NULL, 0, sum));
	if (memcmp(sum, bytes + len - PACK_ID, PACK_ID) != 0) {
		return E_FORMAT;
	}
	*entries = c;
	*n = count;
	return OK;
}

/* Adds seven bits at a time, the lowest first, while the octets have their top bit set. */
static uint64_t
read_more(struct cur *c, uint8_t b, uint64_t size, unsigned shift)
{
	while ((b & 0x80) != 0 && c->err == OK) {
		b = cur_u8(c);
		size |= (uint64_t)(b & 0x7F) << shift;
		shift += 7;
		if (size > PACK_OBJECT_MAX || shift > 42) {
			cur_fail(c, E_LIMIT);
		}
	}
	return c->err == OK ? size : 0;
}

/* How far before the entry its base begins.  The number has seven bits in each octet, the highest first.  For each
 * octet that follows one is added, so that every number has one form only. */
static size_t
read_base_at(struct cur *c, size_t at)
{
	uint8_t b = cur_u8(c);
	size_t back = b & 0x7F;
	while ((b & 0x80) != 0 && c->err == OK) {
		b = cur_u8(c);
		back = (back + 1) << 7 | (b & 0x7F);
		if (back > at) {
			cur_fail(c, E_FORMAT);
		}
	}
	if (c->err == OK && (back == 0 || back > at - PACK_HEADER)) {
		cur_fail(c, E_FORMAT);
	}
	return c->err == OK ? at - back : 0;
}

/* Inflates the data at the cursor, which moves past them.  The result must have exactly `len` octets. */
static err_t
inflate_at(struct cur *c, uint8_t *out, size_t len)
{
	size_t left = cur_left(c);
	uint8_t beyond; /* zlib wants room to see the end of a stream, also of an empty one */
	z_stream z = {
		.next_in = (Bytef *)(c->base + c->pos), .avail_in = left < UINT32_MAX ? (uInt)left : UINT32_MAX,
		.next_out = len > 0 ? out : &beyond, .avail_out = len > 0 ? (uInt)len : 1,
	};
	if (inflateInit(&z) != Z_OK) {
		return E_NOMEM;
	}
	int ret = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (ret != Z_STREAM_END || z.total_out != len) {
		return E_FORMAT;
	}
	c->pos += z.total_in;
	return OK;
}

static err_t
read_data(struct cur *c, size_t max, struct pack_entry *e)
{
	if (e->len > max) {
		return E_LIMIT;
	}
	uint8_t *data = malloc(e->len + 1);
	err_t err = data != NULL ? inflate_at(c, data, e->len) : E_NOMEM;
	if (err != OK) {
		free(data);
		return err;
	}
	e->data = data;
	return OK;
}

err_t
pack_read_head(struct cur *entries, struct pack_entry *out)
{
	struct pack_entry e = { .at = entries->pos };
	uint8_t b = cur_u8(entries); /* three bits of type, the first four of the size */
	e.type = (enum pack_type)(b >> 4 & 7);
	e.len = (size_t)read_more(entries, b, b & 0x0F, 4);
	switch (e.type) {
	case PACK_COMMIT:
	case PACK_TREE:
	case PACK_BLOB:
	case PACK_TAG:
		break;
	case PACK_OFS_DELTA:
		e.base_at = read_base_at(entries, e.at);
		break;
	case PACK_REF_DELTA:
		cur_copy(entries, e.base, sizeof e.base);
		break;
	default:
		cur_fail(entries, E_FORMAT);
	}
	TRY(entries->err);
	*out = e;
	return OK;
}

err_t
pack_next(struct cur *entries, size_t max, struct pack_entry *out)
{
	struct pack_entry e;
	TRY(pack_read_head(entries, &e));
	TRY(read_data(entries, max, &e));
	*out = e;
	return OK;
}

/* Reads an offset or a size of at most `n` octets, the lowest first.  An octet is there if its bit in `bits` is set;
 * else it is 0. */
static uint32_t
read_bits(struct cur *c, unsigned bits, unsigned n)
{
	uint32_t v = 0;
	for (unsigned i = 0; i < n; i++) {
		if ((bits >> i & 1) != 0) {
			v |= (uint32_t)cur_u8(c) << (8 * i);
		}
	}
	return v;
}

/* One instruction: a run of the base, or octets that stand in the delta itself. */
static err_t
apply_one(struct cur *c, const uint8_t *base, size_t base_len, uint8_t *out, size_t room, size_t *did)
{
	uint8_t op = cur_u8(c);
	const uint8_t *from = NULL;
	size_t n = op;
	if ((op & 0x80) != 0) {
		size_t offset = read_bits(c, op, 4);
		n = read_bits(c, op >> 4 & 7u, 3);
		n = n == 0 ? 0x10000 : n;
		from = offset <= base_len && n <= base_len - offset ? base + offset : NULL;
	} else if (op != 0) { /* 0 is reserved */
		from = cur_take(c, n);
	}
	if (c->err != OK || from == NULL || n > room) {
		return E_FORMAT;
	}
	memcpy(out, from, n);
	*did = n;
	return OK;
}

static err_t
apply_all(struct cur *c, const uint8_t *base, size_t base_len, uint8_t *out, size_t out_len)
{
	size_t at = 0;
	while (cur_left(c) > 0) {
		size_t did = 0;
		TRY(apply_one(c, base, base_len, out + at, out_len - at, &did));
		at += did;
	}
	return at == out_len ? OK : E_FORMAT;
}

err_t
delta_apply(const uint8_t *delta, size_t delta_len, const uint8_t *base, size_t base_len, size_t max, uint8_t **out,
            size_t *out_len)
{
	struct cur c = cur_over(delta, delta_len);
	uint64_t from = read_more(&c, 0x80, 0, 0), to = read_more(&c, 0x80, 0, 0);
	TRY(c.err);
	if (from != base_len) {
		return E_FORMAT;
	}
	if (to > max) {
		return E_LIMIT;
	}
	uint8_t *made = malloc((size_t)to + 1);
	err_t err = made != NULL ? apply_all(&c, base, base_len, made, (size_t)to) : E_NOMEM;
	if (err != OK) {
		free(made);
		return err;
	}
	*out = made;
	*out_len = (size_t)to;
	return OK;
}
