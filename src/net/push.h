/* net/push.h -- sends a report to a TCP server at intervals, on a thread of its own.  A report is text, which the caller makes.
 *
 * The connection stays open.  When it cannot be made, or ends, the next try comes after a pause, which grows from PUSH_PAUSE_MIN_MS to
 * PUSH_PAUSE_MAX_MS, until a connection has lasted for an interval.  What the server says is read and thrown away.
 *
 * Bounds: one report is kept.  It is only made when there is a connection and the one before has been sent; otherwise it is skipped, as
 * only the newest values matter.  A server that takes nothing for PUSH_STALL_MS loses the connection.
 *
 * Threads: the callbacks run on the thread that is started here, which turns at least once in PULSE_PERIOD_MS.
 */
#pragma once

#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/str.h"
#include "net/listen.h"
#include "ops/pulse.h"

enum {
	PUSH_FILES = 2,            /* descriptors that it may need */
	PUSH_CONNECT_MS = 10000,
	PUSH_STALL_MS = 30000,
	PUSH_PAUSE_MIN_MS = 1000,
	PUSH_PAUSE_MAX_MS = 60000,
};

struct push_conf {
	struct listen_address to;
	unsigned interval_ms;
	/* Writes a report.  An error, or want of memory in `out`: it is skipped. */
	err_t (*make)(void *ctx, struct str *out);
	/* Once for each change.  NULL: there is a connection; else there is none, and why: for people. */
	void (*told)(void *ctx, const char *why);
	void (*begin)(void *ctx);     /* on the new thread, first, */
	void (*end)(void *ctx);       /* and last */
	void *ctx;
};

struct push;

/* Starts the thread.  E_IO: no thread. */
err_t push_start(const struct push_conf *conf, struct push **out, struct diag *diag);

/* False: the thread is still busy after `limit_ms`, so nothing that it uses may be freed.  NULL-safe. */
bool push_stop(struct push **p, unsigned limit_ms);

const struct pulse *push_pulse(const struct push *p);

/* Reports since the start; any thread. */
uint64_t push_sent(const struct push *p);
uint64_t push_skipped(const struct push *p);
