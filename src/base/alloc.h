/* base/alloc.h -- allocates memory.  If we choose the size, allocation cannot fail: it aborts.
 *
 * If a peer or a file chooses the size, check a named limit first, and use try_alloc(), which returns NULL; the caller turns
 * that into E_NOMEM.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

[[gnu::malloc, gnu::returns_nonnull]] void *xalloc(size_t size);           /* zeroed */
[[gnu::returns_nonnull]] void *xrealloc(void *old, size_t size);           /* the tail is not zeroed */
[[gnu::malloc, gnu::returns_nonnull]] char *xstrndup(const char *s, size_t len); /* NUL-terminated */
[[gnu::malloc, gnu::returns_nonnull]] char *xstrdup(const char *s);

void *try_alloc(size_t size); /* zeroed; NULL: no memory */

/* Where blocks come from that must not be in the heap.  take() returns zeroed memory; NULL: there is none.  give() overwrites the
 * block. */
struct alloc_source {
	void *(*take)(void *ctx, size_t size);
	void (*give)(void *ctx, void *block, size_t size);
	void *ctx;
};

bool try_grow(void *array, size_t size, size_t *cap); /* for try_room() */

/* Makes room for one more in an array of `n` elements of `size` octets each, which has room for `*cap`: a full array is
 * doubled.  `array` points to the pointer to the array.  False: there is no memory, and nothing changed. */
static inline bool
try_room(void *array, size_t size, size_t n, size_t *cap)
{
	return n < *cap || try_grow(array, size, cap);
}

/* Memory that a block of `size` octets takes from the heap, with the allocator's own data, as in glibc on 64 bits. */
static inline size_t
alloc_octets(size_t size)
{
	return size <= 24 ? 32 : (size + 8 + 15) & ~(size_t)15;
}

/* For [[gnu::cleanup(free_ptr)]]: frees the block that the variable points to. */
void free_ptr(void *pointer_to_pointer);

/* Overwrites memory in a way that the compiler does not remove. */
void wipe(void *secret, size_t len);
