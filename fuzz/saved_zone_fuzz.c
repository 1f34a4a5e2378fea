/* The file of a zone.  Raw: octets as somebody could have left them.  By blocks: the input says kind and content of each block, and its check
 * is made to fit, so that what is in it counts.  A zone that comes of it must be the same when it is written and read again. */
#include "auth/saved_zone_p.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { FILE_MAX = 1 << 16, OCTETS_MAX = 1 << 22 };

struct file {
	uint8_t bytes[FILE_MAX];
	size_t len;
};

static err_t
append(void *ctx, const uint8_t *bytes, size_t len)
{
	struct file *f = ctx;
	if (len > FILE_MAX - f->len) {
		return E_FULL;
	}
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
	return OK;
}

/* Kind, length (2), content: becomes the next block.  Returns the octets of input that it took. */
static size_t
put_block(struct buf *b, const uint8_t *data, size_t size, uint8_t check[SAVED_CHECK_LEN])
{
	size_t len = (size_t)data[1] << 8 | data[2];
	len = len < size - 3 ? len : size - 3;
	ASSERT(saved_check(check, data[0], data + 3, len, check) == OK);
	buf_u8(b, data[0]);
	buf_u32(b, (uint32_t)len);
	buf_put(b, check, SAVED_CHECK_LEN);
	buf_put(b, data + 3, len);
	return 3 + len;
}

static void
make_file(const uint8_t *data, size_t size, struct file *f)
{
	uint8_t check[SAVED_CHECK_LEN] = { 0 };
	struct buf b = buf_over(f->bytes, FILE_MAX);
	buf_put(&b, saved_magic, SAVED_MAGIC_LEN);
	while (size >= 3 && b.err == OK) {
		size_t n = put_block(&b, data, size, check);
		data += n;
		size -= n;
	}
	f->len = b.len;
}

static err_t
read_file(const struct file *f, size_t piece, struct saved_zone *out)
{
	struct saved_in *in;
	size_t at = 0, have = 0, wanted = 1;
	err_t err = OK;
	ASSERT(saved_in_new(OCTETS_MAX, &in) == OK);
	while (err == OK && wanted != 0 && have < f->len) {
		size_t used;
		have = f->len - have > piece ? have + piece : f->len;
		err = saved_in_take(in, f->bytes + at, have - at, &used, &wanted);
		at += used;
		ASSERT(at <= have);
	}
	err = err == OK ? saved_in_finish(in, f->len - at, out) : err;
	ASSERT(err == OK || err == E_NOMEM || saved_in_why(in)[0] != '\0' || err == E_LIMIT);
	saved_in_free(&in);
	return err;
}

static err_t
refuse(void *ctx, bool is_added, const struct zone_rr *rr)
{
	(void)ctx, (void)is_added, (void)rr;
	return E_STALE;
}

static void
write_again(const struct saved_zone *read)
{
	static struct file again;
	struct saved_mark mark;
	struct saved_zone second;
	again.len = 0;
	if (saved_write_zone(read->zone, read->changed_s, &read->refresh, append, &again, &mark) == OK) {
		ASSERT(mark.len == again.len);
		ASSERT(read_file(&again, FILE_MAX, &second) == OK);
		ASSERT(zone_diff(read->zone, second.zone, refuse, NULL) == OK);
		ASSERT(!second.is_cut && second.refresh.at_s == read->refresh.at_s && second.changed_s == read->changed_s);
		history_free_zone(&second.zone);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct file f;
	struct saved_zone got;
	f.len = 0;
	if (size < 2) {
		return 0;
	}
	if ((data[0] & 1) != 0) {
		(void)!append(&f, data + 2, size - 2);
	} else {
		make_file(data + 2, size - 2, &f);
	}
	if (read_file(&f, 1u + data[1], &got) == OK) {
		write_again(&got);
		history_free_zone(&got.zone);
	}
	return 0;
}
