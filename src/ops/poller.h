/* ops/poller.h -- a thread that waits for a descriptor until it is told to stop, and shows by a pulse that it is alive.
 *
 *     while (poller_wait(&p, fd, POLLIN, limit_ms, &events)) {
 *             ...
 *     }
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "ops/pulse.h"

struct poller {
	pthread_t thread;
	int wake; /* eventfd */
	atomic_bool is_stopping;
	struct pulse pulse;
};

/* Starts the thread.  Not OK: there is none, and nothing to end. */
err_t poller_begin(struct poller *p, void *(*run)(void *), void *ctx);

/* The thread: waits for events of a descriptor (-1: of none), for at most `limit_ms`, which is PULSE_PERIOD_MS or less; then beats.  False:
 * the thread is to end. */
bool poller_wait(struct poller *p, int fd, short events, int limit_ms, short *come);

/* Tells the thread to end, and joins it.  False: it still runs after `limit_ms`. */
bool poller_end(struct poller *p, unsigned limit_ms);
