/* What is allocated now, counted between the code and the allocator.  The program is linked with --wrap, see meson.build. */
#pragma once

#include <malloc.h>

#include "base/alloc.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *p);

static size_t live, peak;

static inline size_t
live_octets_of(void *p)
{
	return p != NULL ? alloc_octets(malloc_usable_size(p)) : 0;
}

static inline void *
live_count(void *p)
{
	live += live_octets_of(p);
	peak = live > peak ? live : peak;
	return p;
}

void *
__wrap_malloc(size_t size)
{
	return live_count(__real_malloc(size));
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return live_count(__real_calloc(n, size));
}

void *
__wrap_realloc(void *old, size_t size)
{
	size_t was = live_octets_of(old);
	void *p = __real_realloc(old, size);
	live -= p != NULL ? was : 0;
	return p != NULL ? live_count(p) : NULL;
}

void
__wrap_free(void *p)
{
	live -= live_octets_of(p);
	__real_free(p);
}
