/* base/arena.h -- memory that is freed all at once.
 *
 * Ready for use, and empty, when zeroed.  Blocks grow from 4 KiB to 1 MiB.  Allocations are aligned to 8 octets and not zeroed;
 * an allocation of no octets is a valid pointer, too.
 *
 * arena_alloc() returns NULL if the system has no memory, or if a new block is needed and all blocks so far and the new allocation
 * are together larger than `limit` (0: none).  The last block may exceed the limit, by less than 1 MiB.  The caller turns NULL into
 * E_NOMEM or E_LIMIT.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	uint8_t *next, *end;        /* free part of the newest block */
	size_t used;                /* octets in all blocks */
	size_t limit;
};

void *arena_alloc_slow(struct arena *a, size_t n);

static inline void *
arena_alloc(struct arena *a, size_t n)
{
	n = (n + (n == 0) + 7) & ~(size_t)7;
	if (n <= (size_t)(a->end - a->next)) {
		void *p = a->next;
		a->next += n;
		return p;
	}
	return arena_alloc_slow(a, n);
}

void *arena_copy(struct arena *a, const void *bytes, size_t n); /* NULL as above */
void arena_fini(struct arena *a);                               /* frees all; ready to be used again */
