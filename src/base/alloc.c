#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
must(void *p, size_t size)
{
	if (p == NULL) {
		fprintf(stderr, "out of memory for %zu octets\n", size);
		abort();
	}
	return p;
}

void *
xalloc(size_t size)
{
	return must(calloc(1, size != 0 ? size : 1), size);
}

void *
xrealloc(void *old, size_t size)
{
	return must(realloc(old, size != 0 ? size : 1), size);
}

char *
xstrndup(const char *s, size_t len)
{
	char *copy = xalloc(len + 1);
	memcpy(copy, s, len);
	return copy;
}

char *
xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

void *
try_alloc(size_t size)
{
	return calloc(1, size != 0 ? size : 1);
}

bool
try_grow(void *array, size_t size, size_t *cap)
{
	enum { FIRST = 8 };
	size_t wanted = *cap != 0 ? 2 * *cap : FIRST;
	void *old;
	memcpy(&old, array, sizeof old);
	void *grown = realloc(old, wanted * size);
	if (grown == NULL) {
		return false;
	}
	memcpy(array, &grown, sizeof grown);
	*cap = wanted;
	return true;
}

void
free_ptr(void *pointer_to_pointer)
{
	void **p = pointer_to_pointer;
	free(*p);
	*p = NULL;
}

void
wipe(void *secret, size_t len)
{
	explicit_bzero(secret, len);
}
