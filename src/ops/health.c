#include "ops/health.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

struct health_thread {
	const char *name;
	size_t number;
	const struct pulse *pulse;
	struct pulse_watch watch;
	uint64_t limit_ms;
	bool was_silent;
	atomic_bool *is_silent; /* NULL: not wanted */
};

void
health_add(struct health *h, const char *name, size_t number, const struct pulse *pulse, uint64_t limit_ms, atomic_bool *is_silent)
{
	h->threads = xrealloc(h->threads, (h->n + 1) * sizeof *h->threads);
	h->threads[h->n++] = (struct health_thread){
		.name = name, .number = number, .pulse = pulse, .limit_ms = limit_ms, .is_silent = is_silent,
	};
}

static void
log_stuck(const struct health *h, const struct health_thread *t, uint64_t silent_ms)
{
	char hint[256];
	snprintf(hint, sizeof hint, "a service manager with WatchdogSec= restarts %s; without one, restart it yourself",
	         program_invocation_short_name);
	log_event(h->log, LOG_LEVEL_ERROR, "thread-stuck", "thread=%s number=%zu silent_s=%llu hint=%s", t->name, t->number,
	          (unsigned long long)(silent_ms / 1000), hint);
}

static bool
look_at(const struct health *h, struct health_thread *t, uint64_t now_ms)
{
	uint64_t silent_ms = pulse_silence_ms(&t->watch, t->pulse, now_ms);
	bool is_silent = silent_ms >= t->limit_ms;
	if (is_silent && !t->was_silent) {
		log_stuck(h, t, silent_ms);
	} else if (!is_silent && t->was_silent) {
		log_event(h->log, LOG_LEVEL_WARNING, "thread-goes-on", "thread=%s number=%zu", t->name, t->number);
	}
	t->was_silent = is_silent;
	if (t->is_silent != NULL) {
		atomic_store(t->is_silent, is_silent);
	}
	return !is_silent;
}

bool
health_look(struct health *h, uint64_t now_ms)
{
	const char *stuck = NULL;
	for (size_t i = 0; i < h->n; i++) {
		stuck = look_at(h, &h->threads[i], now_ms) ? stuck : h->threads[i].name;
	}
	atomic_store(&h->stuck, stuck);
	return stuck == NULL;
}

const char *
health_stuck(const struct health *h)
{
	return atomic_load_explicit(&h->stuck, memory_order_relaxed);
}

void
health_fini(struct health *h)
{
	free(h->threads);
	h->threads = NULL;
	h->n = 0;
}
