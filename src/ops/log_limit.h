/* ops/log_limit.h -- how many lines the log may get: of each event, and of all that others cause.
 *
 * Whoever can make us write a line at will can fill a disk, and hide what matters among what does not.  So every line is counted, by its
 * event and by who caused it: anybody at all, somebody whose key is known here, or we ourselves and whoever may push (whose commits
 * are bounded by bin/oprimary_load.h, too).  What is over the limit is left out and counted: the event's next line says
 * suppressed=N, and the counters of the log say how many there were in all.
 *
 * Threads: any.  Nobody waits: counters are atomic, and one that is read a moment too early costs a line more or less.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum log_cause { LOG_BY_STRANGER, LOG_BY_KEY, LOG_BY_US, LOG_CAUSES };

enum {
	LOG_LIMIT_PERIOD_S = 10,
	/* Lines a period: of one event, and of all events. */
	LOG_STRANGER_EVENT_LINES = 10,
	LOG_STRANGER_LINES = 50,
	LOG_KEY_EVENT_LINES = 1000, /* many secondaries of many zones have much to say */
	LOG_KEY_LINES = 3000,
	LOG_OWN_EVENT_LINES = 1000,
	LOG_OWN_LINES = 10000,
	LOG_LIMIT_EVENTS_MAX = 256, /* counted one by one, each for each cause; beyond that all together only */
};

/* One count of lines; zero-initialised it is ready. */
struct log_limit {
	_Atomic uint64_t since_s; /* start of the period under way */
	_Atomic uint32_t count;   /* lines in it */
};

/* Zero-initialised it is ready. */
struct log_limits {
	struct log_limit_event {
		_Atomic(const char *) event; /* static text; NULL: free */
		struct log_limit limit;
		_Atomic uint32_t suppressed; /* since a line was last written */
	} events[LOG_CAUSES][LOG_LIMIT_EVENTS_MAX];
	struct log_limit all[LOG_CAUSES];
	_Atomic uint64_t suppressed; /* in all */
	_Atomic bool is_stalled;     /* the reader of the log, when a line was last written without a ring */
};

/* Is there no line left for the event?  Then it is counted as left out. */
bool log_limit_is_used_up(struct log_limits *limits, enum log_cause cause, const char *event, uint64_t now_s);

/* May one more line of the event be written?  `event` is static; `now_s` never goes back.  True: *suppressed says how many were left out
 * before it. */
bool log_limit_take(struct log_limits *limits, enum log_cause cause, const char *event, uint64_t now_s, uint32_t *suppressed);
