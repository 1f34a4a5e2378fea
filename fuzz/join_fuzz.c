/* Packs and their indexes off a disk that nobody vouches for: how many octets the first two have (three each), those, and then the
 * second pair.  With the first octet set, checksums are mended, so that what is behind them is reached.  What comes out can
 * be joined once more, to the same. */
#include "git/join.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/sha.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
mend(uint8_t *bytes, size_t len)
{
	if (len >= ID_LEN && sha1(bytes, len - ID_LEN, NULL, 0, bytes + len - ID_LEN) != OK) {
		abort();
	}
}

static size_t
take_len(const uint8_t **data, size_t *size)
{
	size_t len = *size >= 3 ? (size_t)(*data)[0] << 16 | (size_t)(*data)[1] << 8 | (*data)[2] : 0;
	*data += *size >= 3 ? 3 : *size;
	*size -= *size >= 3 ? 3 : *size;
	return len < *size ? len : *size;
}

static uint8_t *
take(const uint8_t **data, size_t *size, size_t len)
{
	uint8_t *copy = malloc(len + 1);
	if (copy == NULL) {
		abort();
	}
	memcpy(copy, *data, len);
	*data += len;
	*size -= len;
	return copy;
}

static err_t
add(struct pack_join *j, const uint8_t **data, size_t *size, bool is_mended)
{
	size_t pack_len = take_len(data, size);
	uint8_t *pack = take(data, size, pack_len);
	size_t index_len = take_len(data, size);
	uint8_t *index = take(data, size, index_len);
	if (is_mended) {
		mend(pack, pack_len);
		if (index_len >= 2 * ID_LEN && pack_len >= ID_LEN) {
			memcpy(index + index_len - 2 * ID_LEN, pack + pack_len - ID_LEN, ID_LEN);
		}
		mend(index, index_len);
	}
	const struct pack_in in = { .pack = pack, .pack_len = pack_len, .index = index, .index_len = index_len };
	err_t err = pack_join_add(j, &in);
	free(pack);
	free(index);
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pack_join j = { 0 }, again = { 0 };
	if (size < 1) {
		return 0;
	}
	bool is_mended = data[0] != 0;
	data++;
	size--;
	err_t err = add(&j, &data, &size, is_mended);
	if (err == OK && size > 0) {
		err = add(&j, &data, &size, is_mended);
	}
	if (err == OK && pack_out_finish(&j.out) == OK) {
		const struct pack_in in = {
			.pack = (const uint8_t *)j.out.bytes.s, .pack_len = j.out.bytes.len,
			.index = (const uint8_t *)j.out.index.s, .index_len = j.out.index.len,
		};
		ASSERT(pack_join_add(&again, &in) == OK && pack_out_finish(&again.out) == OK);
		ASSERT(again.out.n == j.out.n && again.out.bytes.len == j.out.bytes.len);
		ASSERT(memcmp(again.out.bytes.s, j.out.bytes.s, j.out.bytes.len) == 0);
	}
	pack_join_fini(&j);
	pack_join_fini(&again);
	return 0;
}
