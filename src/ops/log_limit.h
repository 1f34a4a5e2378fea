/* ops/log_limit.h -- limits for the lines of the log: for each event, and for all events together.
 *
 * Somebody who can make us write lines at will could fill a disk, and hide important lines among many others.  So every line is counted
 * by its event and by its cause: a stranger, a peer whose key is known here, or ourselves.  Lines that a push causes count as our own;
 * bin/oprimary_load.h limits them, too.  Lines over a limit are left out and counted: the event's next line says suppressed=N, and the
 * counters of the log have the total.
 *
 * Threads: any.  Nobody waits: the counters are atomic.  If one is read a moment too early, one line more or less is written.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum log_cause { LOG_BY_STRANGER, LOG_BY_KEY, LOG_BY_US, LOG_CAUSES };

enum {
	LOG_LIMIT_PERIOD_S = 10,
	/* Lines in a period, of one event and of all events: */
	LOG_STRANGER_EVENT_LINES = 10,
	LOG_STRANGER_LINES = 50,
	LOG_KEY_EVENT_LINES = 1000, /* many secondaries of many zones have much to say */
	LOG_KEY_LINES = 3000,
	LOG_OWN_EVENT_LINES = 1000,
	LOG_OWN_LINES = 10000,
	LOG_LIMIT_EVENTS_MAX = 256, /* events with their own counters, for each cause; further events are only counted together */
};

/* Counts lines.  Ready when zero-initialised. */
struct log_limit {
	_Atomic uint64_t since_s; /* start of the period under way */
	_Atomic uint32_t count;   /* lines in this period */
};

/* Ready when zero-initialised. */
struct log_limits {
	struct log_limit_event {
		_Atomic(const char *) event; /* static text; NULL: free */
		struct log_limit limit;
		_Atomic uint32_t suppressed; /* since a line was last written */
	} events[LOG_CAUSES][LOG_LIMIT_EVENTS_MAX];
	struct log_limit all[LOG_CAUSES];
	_Atomic uint64_t suppressed; /* total */
	_Atomic bool is_stalled;     /* the log's reader took nothing when a line was last written without a ring */
};

/* True when no line of the event may be written now; then the line is counted as left out. */
bool log_limit_is_used_up(struct log_limits *limits, enum log_cause cause, const char *event, uint64_t now_s);

/* True when a line of the event may be written; *suppressed is then the number of lines left out before it.  `event` is a static text;
 * `now_s` never goes back. */
bool log_limit_take(struct log_limits *limits, enum log_cause cause, const char *event, uint64_t now_s, uint32_t *suppressed);
