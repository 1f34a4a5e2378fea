#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_MIN = 4096, BLOCK_MAX = 1 << 20 };

struct arena_block {
	struct arena_block *older;
	max_align_t data[];
};

void *
arena_alloc_slow(struct arena *a, size_t n)
{
	size_t size = a->used < BLOCK_MIN ? BLOCK_MIN : a->used;
	size = size > BLOCK_MAX ? BLOCK_MAX : size;
	size = size < n ? n : size;
	if (a->limit != 0 && (n > a->limit || a->used > a->limit - n)) {
		return NULL;
	}
	struct arena_block *b = malloc(sizeof *b + size);
	if (b == NULL) {
		return NULL;
	}
	b->older = a->blocks;
	a->blocks = b;
	a->used += size;
	uint8_t *data = (uint8_t *)b->data;
	if (size - n >= (size_t)(a->end - a->next)) { /* keep the block with more room */
		a->next = data + n;
		a->end = data + size;
	}
	return data;
}

void *
arena_copy(struct arena *a, const void *bytes, size_t n)
{
	void *p = arena_alloc(a, n);
	if (p != NULL && n != 0) {
		memcpy(p, bytes, n);
	}
	return p;
}

void
arena_fini(struct arena *a)
{
	while (a->blocks != NULL) {
		struct arena_block *b = a->blocks;
		a->blocks = b->older;
		free(b);
	}
	*a = (struct arena){ .limit = a->limit };
}
