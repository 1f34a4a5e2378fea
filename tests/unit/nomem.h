/* Allocations that fail in turn.  The program is linked with --wrap, see meson.build; what aborts for want of memory is spared. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

static size_t allowed; /* allocations that still succeed */
static bool is_failing, has_failed;
static bool is_one_alone; /* one fails, and then there is memory again */
static unsigned exempt; /* in a function that aborts instead of failing */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_xalloc(size_t size);
void *__real_xrealloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_xalloc(size_t size);
void *__wrap_xrealloc(void *old, size_t size);

static bool
is_refused(void)
{
	if (!is_failing || exempt != 0) {
		return false;
	}
	if (allowed != 0) {
		allowed--;
		return false;
	}
	has_failed = true;
	is_failing = !is_one_alone;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return is_refused() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return is_refused() ? NULL : __real_realloc(old, size);
}

void *
__wrap_xalloc(size_t size)
{
	exempt++;
	void *p = __real_xalloc(size);
	exempt--;
	return p;
}

void *
__wrap_xrealloc(void *old, size_t size)
{
	exempt++;
	void *p = __real_xrealloc(old, size);
	exempt--;
	return p;
}

static inline void
fail_after(size_t n)
{
	allowed = n;
	is_failing = true;
	has_failed = is_one_alone = false;
}

static inline void
fail_once(size_t n)
{
	fail_after(n);
	is_one_alone = true;
}
