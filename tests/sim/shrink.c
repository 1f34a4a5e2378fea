#include "shrink.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim.h"

enum { RUN_MAX_S = 120 };

[[gnu::noreturn]] static void
run(const struct plan *p)
{
	static struct world w;
	(void)close(STDERR_FILENO); /* what a sanitizer says is said by the last run */
	(void)alarm(RUN_MAX_S);
	_exit(world_run(&w, p, false) ? 0 : 1);
}

bool
shrink_fails(const struct plan *p)
{
	int status = 0;
	(void)fflush(stdout);
	pid_t child = fork();
	ASSERT(child >= 0);
	if (child == 0) {
		run(p);
	}
	pid_t ended = waitpid(child, &status, 0);
	ASSERT(ended == child);
	return status != 0;
}

static void
leave_out(const struct plan *p, size_t from, size_t n, struct plan *out)
{
	*out = *p;
	n = from + n < p->events_n ? n : p->events_n - from;
	memmove(out->events + from, out->events + from + n, (p->events_n - from - n) * sizeof out->events[0]);
	out->events_n -= n;
}

/* True: something could be left out. */
static bool
shrink_by(struct plan *p, size_t n)
{
	static struct plan less;
	bool has_shrunk = false;
	for (size_t at = 0; at < p->events_n;) {
		leave_out(p, at, n, &less);
		if (shrink_fails(&less)) {
			*p = less;
			has_shrunk = true;
		} else {
			at += n;
		}
	}
	return has_shrunk;
}

void
shrink(struct plan *p)
{
	for (size_t n = p->events_n / 2; n > 1; n /= 2) {
		(void)shrink_by(p, n);
	}
	while (shrink_by(p, 1)) {
	}
}
