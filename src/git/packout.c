#include "git/packout.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/alloc.h"
#include "base/number.h"
#include "crypto/sha.h"

static void
put_u32(struct str *out, uint32_t v)
{
	uint8_t b[4];
	u32_put(b, v);
	str_put(out, b, sizeof b);
}

void
pack_put_head(struct str *out, enum pack_type type, size_t len)
{
	unsigned b = (unsigned)type << 4 | (len & 0x0F);
	for (len >>= 4; len > 0; len >>= 7) {
		str_char(out, (char)(b | 0x80));
		b = len & 0x7F;
	}
	str_char(out, (char)b);
}

void
pack_put_back(struct str *out, size_t back)
{
	uint8_t b[10];
	size_t at = sizeof b;
	b[--at] = back & 0x7F;
	while ((back >>= 7) > 0) {
		back--; /* every number has one form only */
		b[--at] = (uint8_t)(0x80 | (back & 0x7F));
	}
	str_put(out, b + at, sizeof b - at);
}

static void
begin(struct pack_out *o)
{
	if (o->bytes.len == 0) {
		str_put(&o->bytes, "PACK\0\0\0\2", 8);
		put_u32(&o->bytes, 0); /* the number of objects: pack_out_finish() writes it */
	}
}

static void
latch(struct pack_out *o, err_t err)
{
	o->err = o->err == OK ? err : o->err;
}

/* The octets from `at` on are a complete entry: notes it for the index. */
static void
close_entry(struct pack_out *o, const uint8_t id[ID_LEN], size_t at)
{
	latch(o, o->bytes.err != OK ? E_NOMEM : o->bytes.len > PACK_OUT_MAX ? E_LIMIT : OK);
	if (o->err != OK) {
		return;
	}
	if (o->n == o->cap) {
		o->cap = o->cap == 0 ? 8 : o->cap * 2;
		o->slots = xrealloc(o->slots, o->cap * sizeof *o->slots);
	}
	struct pack_slot *slot = &o->slots[o->n++];
	*slot = (struct pack_slot){ .at = at };
	slot->crc = (uint32_t)crc32_z(0, (const Bytef *)o->bytes.s + at, o->bytes.len - at);
	memcpy(slot->id, id, ID_LEN);
}

static err_t
deflate_into(struct str *out, const void *data, size_t len)
{
	uint8_t piece[1 << 14];
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len };
	if (deflateInit(&z, len < PACK_LARGE ? PACK_LEVEL : PACK_LEVEL_LARGE) != Z_OK) {
		return E_NOMEM;
	}
	int ret;
	do {
		z.next_out = piece;
		z.avail_out = sizeof piece;
		ret = deflate(&z, Z_FINISH);
		str_put(out, piece, sizeof piece - z.avail_out);
	} while (ret == Z_OK && out->err == OK);
	deflateEnd(&z);
	return ret == Z_STREAM_END ? OK : E_NOMEM;
}

void
pack_out_object(struct pack_out *o, enum pack_type type, const uint8_t id[ID_LEN], const void *data, size_t len)
{
	begin(o);
	size_t at = o->bytes.len;
	if (len > PACK_OBJECT_MAX) {
		latch(o, E_LIMIT);
	}
	if (o->err == OK) {
		pack_put_head(&o->bytes, type, len);
		latch(o, deflate_into(&o->bytes, data, len));
		close_entry(o, id, at);
	}
}

void
pack_out_entry(struct pack_out *o, const uint8_t id[ID_LEN], const struct str *head, const void *rest, size_t rest_len)
{
	begin(o);
	size_t at = o->bytes.len;
	latch(o, head->err);
	if (o->err == OK) {
		str_put(&o->bytes, head->s, head->len);
		str_put(&o->bytes, rest, rest_len);
		close_entry(o, id, at);
	}
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const struct pack_slot *)a)->id, ((const struct pack_slot *)b)->id, ID_LEN);
}

/* For each first octet, how many ids begin with it or a lower one. */
static void
put_fanout(struct pack_out *o)
{
	size_t n = 0;
	for (unsigned first = 0; first < 256; first++) {
		while (n < o->n && o->slots[n].id[0] <= first) {
			n++;
		}
		put_u32(&o->index, (uint32_t)n);
	}
}

static err_t
make_index(struct pack_out *o)
{
	uint8_t sum[ID_LEN];
	if (o->n > 0) {
		qsort(o->slots, o->n, sizeof *o->slots, by_id);
	}
	str_put(&o->index, "\377tOc\0\0\0\2", 8);
	put_fanout(o);
	for (size_t i = 0; i < o->n; i++) {
		str_put(&o->index, o->slots[i].id, ID_LEN);
	}
	for (size_t i = 0; i < o->n; i++) {
		put_u32(&o->index, o->slots[i].crc);
	}
	for (size_t i = 0; i < o->n; i++) {
		put_u32(&o->index, (uint32_t)o->slots[i].at);
	}
	str_put(&o->index, o->sum, sizeof o->sum);
	TRY(o->index.err);
	TRY(sha1(o->index.s, o->index.len, NULL, 0, sum));
	str_put(&o->index, sum, sizeof sum);
	return o->index.err;
}

err_t
pack_out_finish(struct pack_out *o)
{
	begin(o);
	latch(o, o->bytes.err);
	TRY(o->err);
	for (unsigned i = 0; i < 4; i++) {
		o->bytes.s[8 + i] = (char)(o->n >> (24 - 8 * i));
	}
	TRY(sha1(o->bytes.s, o->bytes.len, NULL, 0, o->sum));
	str_put(&o->bytes, o->sum, sizeof o->sum);
	TRY(o->bytes.err);
	return make_index(o);
}

void
pack_out_fini(struct pack_out *o)
{
	str_fini(&o->bytes);
	str_fini(&o->index);
	free(o->slots);
	*o = (struct pack_out){ 0 };
}
