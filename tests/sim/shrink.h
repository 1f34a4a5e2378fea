/* tests/sim/shrink.h -- leaves out what a failing run does not need: events of its plan, first many at a time, then one by one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { SHRINK_MAX = 256 };

struct shrink {
	size_t n;      /* events, at most SHRINK_MAX */
	bool *is_out;  /* for each of them: it is left out */
	bool (*run)(const void *ctx, const bool *is_out); /* without these, in a process of its own; false: it fails */
	const void *ctx;
};

/* Runs it in a process of its own, so that it may also end that. */
bool shrink_fails(const struct shrink *s);

/* Of a plan that fails: sets is_out[], and without these it fails as well, perhaps in another way. */
void shrink(struct shrink *s);
