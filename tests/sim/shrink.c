#include "shrink.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

enum { RUN_MAX_S = 120 };

[[gnu::noreturn]] static void
run(const struct shrink *s)
{
	(void)close(STDERR_FILENO); /* what a sanitizer says is said by the last run */
	(void)alarm(RUN_MAX_S);
	_exit(s->run(s->ctx, s->is_out) ? 0 : 1);
}

bool
shrink_fails(const struct shrink *s)
{
	int status = 0;
	(void)fflush(stdout);
	pid_t child = fork();
	ASSERT(child >= 0);
	if (child == 0) {
		run(s);
	}
	pid_t ended = waitpid(child, &status, 0);
	ASSERT(ended == child);
	return status != 0;
}

/* The next `n` that are not left out yet, from `at` on, into list[]. */
static size_t
choose(const struct shrink *s, size_t *at, size_t n, size_t list[])
{
	size_t found = 0;
	for (; *at < s->n && found < n; ++*at) {
		if (!s->is_out[*at]) {
			list[found++] = *at;
		}
	}
	return found;
}

static void
set_all(struct shrink *s, const size_t list[], size_t n, bool is_out)
{
	for (size_t i = 0; i < n; i++) {
		s->is_out[list[i]] = is_out;
	}
}

/* True: something could be left out. */
static bool
shrink_by(struct shrink *s, size_t n)
{
	size_t list[SHRINK_MAX], at = 0, found;
	bool has_shrunk = false;
	ASSERT(s->n <= SHRINK_MAX);
	while ((found = choose(s, &at, n, list)) != 0) {
		set_all(s, list, found, true);
		if (shrink_fails(s)) {
			has_shrunk = true;
		} else {
			set_all(s, list, found, false);
		}
	}
	return has_shrunk;
}

void
shrink(struct shrink *s)
{
	for (size_t n = s->n / 2; n > 1; n /= 2) {
		(void)shrink_by(s, n);
	}
	while (shrink_by(s, 1)) {
	}
}
