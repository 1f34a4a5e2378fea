/* ops/health.h -- are all threads alive?  The main thread looks, and says in the log when one is not, and when it is again.
 *
 * A thread that hangs cannot be replaced.  What follows is that the service manager does not hear WATCHDOG=1, and starts all of it
 * anew; without one, the others go on.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ops/log.h"
#include "ops/pulse.h"

enum {
	HEALTH_SILENT_MAX_MS = 10000,  /* threads that answer and notify */
	HEALTH_LOADER_MAX_MS = 600000, /* the loader: reading one zone may take minutes */
};

struct health_thread;

struct health {
	const struct log *log;         /* borrowed */
	struct health_thread *threads; /* owned */
	size_t n;
	atomic_bool is_any_stuck;      /* when it was looked last */
};

/* Borrowed are `name` (static) and `pulse`.  `number` is for people.  `is_silent`: NULL, or borrowed and kept up to date for other
 * threads. */
void health_add(struct health *h, const char *name, size_t number, const struct pulse *pulse, uint64_t limit_ms,
                atomic_bool *is_silent);

/* About once a PULSE_PERIOD_MS.  True: all of them beat. */
bool health_look(struct health *h, uint64_t now_ms);

/* The same as of the last look, for other threads. */
bool health_is_any_stuck(const struct health *h);

void health_fini(struct health *h); /* health_is_any_stuck() may still be asked */
