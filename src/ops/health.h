/* ops/health.h -- the main thread checks that all threads are alive, and logs when one is stuck and when it continues.
 *
 * A stuck thread cannot be replaced.  But the service manager no longer gets WATCHDOG=1, so it restarts the whole service.  Without a
 * service manager, the other threads go on.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ops/log.h"
#include "ops/pulse.h"

enum {
	HEALTH_SILENT_MAX_MS = 10000,  /* for threads that answer or notify */
	HEALTH_LOADER_MAX_MS = 600000, /* for the loader: reading one zone may take minutes */
};

struct health_thread;

struct health {
	const struct log *log;         /* borrowed */
	struct health_thread *threads; /* owned */
	size_t n;
	_Atomic(const char *) stuck;   /* the name of a thread that showed no life at the last look; NULL: there was none */
};

/* Adds a thread.  `name` (static) and `pulse` are borrowed.  `number` tells threads of one name apart in the log.  `is_silent`, if not
 * NULL, is borrowed and set at each look, for other threads. */
void health_add(struct health *h, const char *name, size_t number, const struct pulse *pulse, uint64_t limit_ms,
                atomic_bool *is_silent);

/* To be called about once in PULSE_PERIOD_MS.  True: all threads are alive. */
bool health_look(struct health *h, uint64_t now_ms);

/* For other threads: the name of a thread that hung at the last look, the one that was added last; NULL: none did. */
const char *health_stuck(const struct health *h);

void health_fini(struct health *h); /* health_stuck() may still be asked */
