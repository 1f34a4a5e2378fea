/* tests/unit/one_primary.h -- the primary that all tests of a program ask, from before the first until after the last. */
#pragma once

#include "serve.h"

static struct primary *primary;

/* 0, as cmocka wants it: all files are served. */
static inline int
primary_up(const char *const files[][2], size_t n)
{
	primary = serve_files(files, n);
	return primary == NULL;
}

static int
primary_down(void **state)
{
	(void)state;
	primary_free(&primary);
	return 0;
}
