#include "git/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/buf.h"
#include "crypto/sha.h"

static uint8_t bytes[65536];

static struct buf
begin(uint32_t n)
{
	struct buf b = buf_over(bytes, sizeof bytes);
	buf_put(&b, "PACK", 4);
	buf_u32(&b, 2);
	buf_u32(&b, n);
	return b;
}

static void
put_size(struct buf *b, enum pack_type type, size_t len)
{
	uint8_t first = (uint8_t)((unsigned)type << 4 | (len & 15));
	len >>= 4;
	buf_u8(b, (uint8_t)(first | (len > 0 ? 0x80 : 0)));
	while (len > 0) {
		buf_u8(b, (uint8_t)((len & 0x7F) | (len > 0x7F ? 0x80 : 0)));
		len >>= 7;
	}
}

static void
put_data(struct buf *b, const void *data, size_t len)
{
	uLongf n = buf_room(b);
	assert_int_equal(compress(b->base + b->len, &n, data, len), Z_OK);
	b->len += n;
}

static size_t
finish(struct buf *b)
{
	uint8_t sum[20];
	assert_int_equal(sha1(b->base, b->len, NULL, 0, sum), OK);
	buf_put(b, sum, sizeof sum);
	assert_int_equal(b->err, OK);
	return b->len;
}

static err_t
read_all(size_t len, size_t max, struct pack_entry *out, uint32_t *n)
{
	struct cur c;
	TRY(pack_open(bytes, len, &c, n));
	for (uint32_t i = 0; i < *n; i++) {
		err_t err = pack_next(&c, max, &out[i]);
		if (err != OK) {
			while (i > 0) {
				free(out[--i].data);
			}
			return err;
		}
	}
	return OK;
}

static void
entries_of_every_kind(void **state)
{
	(void)state;
	static const char large[5000] = "much";
	struct buf b = begin(4);
	put_size(&b, PACK_BLOB, 0);
	put_data(&b, "", 0);
	size_t at = b.len;
	put_size(&b, PACK_COMMIT, sizeof large);
	put_data(&b, large, sizeof large);
	size_t delta_at = b.len;
	put_size(&b, PACK_OFS_DELTA, 3);
	size_t back = delta_at - at;
	assert_true(back < 128);
	buf_u8(&b, (uint8_t)back);
	put_data(&b, "abc", 3);
	put_size(&b, PACK_REF_DELTA, 1);
	buf_put(&b, "01234567890123456789", 20);
	put_data(&b, "d", 1);
	struct pack_entry e[4];
	uint32_t n;
	assert_int_equal(read_all(finish(&b), 5000, e, &n), OK);
	assert_int_equal(n, 4);
	assert_int_equal(e[0].len, 0);
	assert_int_equal(e[1].type, PACK_COMMIT);
	assert_int_equal(e[1].at, at);
	assert_memory_equal(e[1].data, large, sizeof large);
	assert_int_equal(e[2].base_at, at);
	assert_memory_equal(e[3].base, "01234567890123456789", 20);
	for (size_t i = 0; i < 4; i++) {
		free(e[i].data);
	}
	assert_int_equal(read_all(b.len, 4999, e, &n), E_LIMIT);
}

static void
what_is_no_pack_is_refused(void **state)
{
	(void)state;
	struct pack_entry e[2];
	uint32_t n;
	struct buf b = begin(1);
	put_size(&b, PACK_BLOB, 3);
	put_data(&b, "abc", 3);
	size_t len = finish(&b);
	assert_int_equal(read_all(len, 100, e, &n), OK);
	free(e[0].data);
	assert_int_equal(read_all(31, 100, e, &n), E_SHORT);
	for (size_t i = 0; i < len; i++) { /* every octet counts in the checksum */
		bytes[i] ^= 1;
		assert_int_not_equal(read_all(len, 100, e, &n), OK);
		bytes[i] ^= 1;
	}
	b = begin(2); /* more announced than there are */
	put_size(&b, PACK_BLOB, 3);
	put_data(&b, "abc", 3);
	assert_int_equal(read_all(finish(&b), 100, e, &n), E_SHORT);
	static const struct { size_t said, is; } lies[] = { { 2, 3 }, { 4, 3 }, { 0, 3 }, { 3, 0 } };
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		b = begin(1);
		put_size(&b, PACK_BLOB, lies[i].said);
		put_data(&b, "abc", lies[i].is);
		assert_int_equal(read_all(finish(&b), 100, e, &n), E_FORMAT);
	}
	static const uint8_t types[] = { 0x03, 0x53 };
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		b = begin(1);
		buf_u8(&b, types[i]);
		put_data(&b, "abc", 3);
		assert_int_equal(read_all(finish(&b), 100, e, &n), E_FORMAT);
	}
	static const uint8_t bases[][3] = { { 0 }, { 1 }, { 127 }, { 0xFF, 0x7F }, { 0xFF, 0xFF, 0x7F } };
	for (size_t i = 0; i < ARRAY_LEN(bases); i++) { /* itself, in the header, before the beginning */
		b = begin(1);
		put_size(&b, PACK_OFS_DELTA, 3);
		buf_put(&b, bases[i], i < 3 ? 1 : i - 1);
		put_data(&b, "abc", 3);
		assert_int_equal(read_all(finish(&b), 100, e, &n), E_FORMAT);
	}
	b = begin(1);
	buf_put(&b, "\xBF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 10);
	assert_int_equal(read_all(finish(&b), 100, e, &n), E_LIMIT);
}

static err_t
applied(const char *delta, size_t len, const char *want)
{
	uint8_t *out = NULL;
	size_t n = 0;
	TRY(delta_apply((const uint8_t *)delta, len, (const uint8_t *)"0123456789", 10, 1000, &out, &n));
	assert_int_equal(n, strlen(want));
	assert_memory_equal(out, want, n);
	free(out);
	return OK;
}

#define APPLIED(delta, want) applied(delta, sizeof(delta) - 1, want)

static void
deltas(void **state)
{
	(void)state;
	assert_int_equal(APPLIED("\x0A\x00", ""), OK);
	assert_int_equal(APPLIED("\x0A\x03\x03" "abc", "abc"), OK);
	assert_int_equal(APPLIED("\x0A\x0A\x90\x0A", "0123456789"), OK);
	assert_int_equal(APPLIED("\x0A\x05\x91\x08\x02\x01x\x90\x02", "89x01"), OK);
	assert_int_equal(APPLIED("\x0A\x05\x91\x06\x05", ""), E_FORMAT);     /* beyond the base */
	assert_int_equal(APPLIED("\x0A\x05\x90\x06", ""), E_FORMAT);         /* more than was said */
	assert_int_equal(APPLIED("\x0A\x05\x90\x04", ""), E_FORMAT);         /* less */
	assert_int_equal(APPLIED("\x0A\x05\x05" "abc", ""), E_FORMAT);       /* cut off */
	assert_int_equal(APPLIED("\x0A\x05\x91", ""), E_FORMAT);
	assert_int_equal(APPLIED("\x0A\x05\x00", ""), E_FORMAT);             /* reserved */
	assert_int_equal(APPLIED("\x0A\x05\x80", ""), E_FORMAT);             /* no size is 65,536 */
	assert_int_equal(APPLIED("\x0A\x05\x9F\xFF\xFF\xFF\xFF\x05", ""), E_FORMAT);
	assert_int_equal(APPLIED("\x0B\x03\x03" "abc", ""), E_FORMAT);       /* for another base */
	assert_int_equal(APPLIED("\x0A\xE9\x07", ""), E_LIMIT);              /* 1,001 */
	assert_int_equal(APPLIED("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", ""), E_LIMIT);
	assert_int_equal(APPLIED("\x8A", ""), E_SHORT);
	assert_int_equal(APPLIED("", ""), E_SHORT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_of_every_kind),
		cmocka_unit_test(what_is_no_pack_is_refused),
		cmocka_unit_test(deltas),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
