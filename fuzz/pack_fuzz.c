/* A pack off the network: the first octet says whether the checksum is mended, so that what is behind it is reached; then
 * each entry, and each delta against the entry before it. */
#include "git/pack.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/sha.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 1 << 20 };

static void
read_entries(struct cur *c, uint32_t n)
{
	struct pack_entry e, before = { 0 };
	while (n-- > 0 && pack_next(c, MAX, &e) == OK) {
		uint8_t *made = NULL;
		size_t made_len = 0;
		ASSERT(e.len <= MAX && c->pos <= c->len && e.base_at < e.at);
		if (before.data != NULL && delta_apply(e.data, e.len, before.data, before.len, MAX, &made, &made_len) == OK) {
			ASSERT(made_len <= MAX);
			free(made);
		}
		free(before.data);
		before = e;
	}
	free(before.data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur c;
	uint32_t n = 0;
	if (size < 1) {
		return 0;
	}
	size_t len = size - 1;
	uint8_t *pack = malloc(len + 1);
	if (pack == NULL) {
		return 0;
	}
	memcpy(pack, data + 1, len);
	if (data[0] != 0 && len >= PACK_ID && sha1(pack, len - PACK_ID, NULL, 0, pack + len - PACK_ID) != OK) {
		abort();
	}
	if (pack_open(pack, len, &c, &n) == OK) {
		read_entries(&c, n);
	}
	free(pack);
	return 0;
}
