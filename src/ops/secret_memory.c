#include "ops/secret_memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/err.h"

enum { PIECE = 1 << 16, ALIGN = 16 }; /* octets that are asked for at once */

struct secret_block {
	struct secret_block *next;
};

static void
put_free(struct secret_memory *m, void *block)
{
	struct secret_block *b = block;
	b->next = m->free;
	m->free = b;
}

/* With the lock held.  False: no memory. */
static bool
add_piece(struct secret_memory *m)
{
	size_t stride = (m->size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	uint8_t *piece = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (piece == MAP_FAILED) {
		return false;
	}
	if (mlock(piece, PIECE) != 0) {
		atomic_store(&m->refused, errno);
	}
	(void)madvise(piece, PIECE, MADV_DONTDUMP);
	for (size_t at = 0; at + stride <= PIECE; at += stride) {
		put_free(m, piece + at);
	}
	return true;
}

void *
secret_memory_take(void *memory, size_t size)
{
	struct secret_memory *m = memory;
	struct secret_block *b = NULL;
	ASSERT(size == m->size && size >= sizeof *b && size <= PIECE);
	pthread_mutex_lock(&m->lock);
	if (m->free != NULL || add_piece(m)) {
		b = m->free;
		m->free = b->next;
	}
	pthread_mutex_unlock(&m->lock);
	if (b != NULL) {
		memset(b, 0, size);
	}
	return b;
}

void
secret_memory_give(void *memory, void *block, size_t size)
{
	struct secret_memory *m = memory;
	wipe(block, size);
	pthread_mutex_lock(&m->lock);
	put_free(m, block);
	pthread_mutex_unlock(&m->lock);
}
