/* base/alloc.h -- memory of a size that we choose ourselves: it cannot fail, it aborts.
 *
 * Where a peer or a file chooses the size, check a named limit first and use try_alloc(), which
 * returns NULL; the caller turns that into E_NOMEM.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

[[gnu::malloc, gnu::returns_nonnull]] void *xalloc(size_t size);           /* zeroed */
[[gnu::returns_nonnull]] void *xrealloc(void *old, size_t size);           /* the tail is not zeroed */
[[gnu::malloc, gnu::returns_nonnull]] char *xstrndup(const char *s, size_t len); /* NUL-terminated */
[[gnu::malloc, gnu::returns_nonnull]] char *xstrdup(const char *s);

void *try_alloc(size_t size); /* zeroed; NULL when there is none */

bool try_grow(void *array, size_t size, size_t *cap); /* for try_room() */

/* Room for one more in an array of `n` elements of `size` octets each, for `*cap` of which there is room: a full one is doubled.  `array`
 * points to the pointer to it.  False: there is no memory, and all is as it was. */
static inline bool
try_room(void *array, size_t size, size_t n, size_t *cap)
{
	return n < *cap || try_grow(array, size, cap);
}

/* What a block of `size` octets takes from the heap, with the allocator's own: as glibc does it on 64 bits. */
static inline size_t
alloc_octets(size_t size)
{
	return size <= 24 ? 32 : (size + 8 + 15) & ~(size_t)15;
}

/* For [[gnu::cleanup(free_ptr)]]: frees what the variable points to. */
void free_ptr(void *pointer_to_pointer);

/* Overwrites in a way that the compiler keeps. */
void wipe(void *secret, size_t len);
