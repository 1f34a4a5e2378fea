#include "ops/log_limit.h"

#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"

static const struct {
	uint32_t event, all;
} lines_max[LOG_CAUSES] = {
	[LOG_BY_STRANGER] = { LOG_STRANGER_EVENT_LINES, LOG_STRANGER_LINES },
	[LOG_BY_KEY] = { LOG_KEY_EVENT_LINES, LOG_KEY_LINES },
	[LOG_BY_US] = { LOG_OWN_EVENT_LINES, LOG_OWN_LINES },
};

/* The event's entry; a free one is taken for a new event.  NULL: all are taken. */
static struct log_limit_event *
find_event(struct log_limit_event *events, const char *event)
{
	size_t h = hash32_text(event);
	for (size_t i = 0; i < LOG_LIMIT_EVENTS_MAX; i++) {
		struct log_limit_event *e = &events[(h + i) % LOG_LIMIT_EVENTS_MAX];
		const char *there = atomic_load(&e->event);
		if (there == NULL && atomic_compare_exchange_strong(&e->event, &there, event)) {
			return e;
		}
		if (strcmp(there, event) == 0) {
			return e;
		}
	}
	return NULL;
}

/* Counts a line, if the period has room for it.  Begins a new period when the last one is over. */
static bool
take(struct log_limit *l, uint32_t max, uint64_t now_s)
{
	now_s += LOG_LIMIT_PERIOD_S; /* since_s is 0 at first, and that period must be over at any now_s */
	uint64_t since_s = atomic_load(&l->since_s);
	if (now_s - since_s >= LOG_LIMIT_PERIOD_S && atomic_compare_exchange_strong(&l->since_s, &since_s, now_s)) {
		atomic_store(&l->count, 0);
	}
	return atomic_load(&l->count) < max && atomic_fetch_add(&l->count, 1) < max;
}

static bool
is_full(const struct log_limit *l, uint32_t max, uint64_t now_s)
{
	return now_s + LOG_LIMIT_PERIOD_S - atomic_load(&l->since_s) < LOG_LIMIT_PERIOD_S && atomic_load(&l->count) >= max;
}

static void
count_suppressed(struct log_limits *limits, struct log_limit_event *e)
{
	atomic_fetch_add(&limits->suppressed, 1);
	if (e != NULL) {
		atomic_fetch_add(&e->suppressed, 1);
	}
}

bool
log_limit_is_used_up(struct log_limits *limits, enum log_cause cause, const char *event, uint64_t now_s)
{
	struct log_limit_event *e = find_event(limits->events[cause], event);
	bool is_used_up = (e != NULL && is_full(&e->limit, lines_max[cause].event, now_s)) ||
	                  is_full(&limits->all[cause], lines_max[cause].all, now_s);
	if (is_used_up) {
		count_suppressed(limits, e);
	}
	return is_used_up;
}

bool
log_limit_take(struct log_limits *limits, enum log_cause cause, const char *event, uint64_t now_s, uint32_t *suppressed)
{
	struct log_limit_event *e = find_event(limits->events[cause], event);
	*suppressed = 0;
	if ((e != NULL && !take(&e->limit, lines_max[cause].event, now_s)) ||
	    !take(&limits->all[cause], lines_max[cause].all, now_s)) {
		count_suppressed(limits, e);
		return false;
	}
	if (e != NULL) {
		*suppressed = atomic_exchange(&e->suppressed, 0);
	}
	return true;
}
