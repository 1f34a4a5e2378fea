/* tests/sim/schedule.h -- the events of a plan as steps in time: each one begins, and faults end as well.
 *
 * Of two steps at the same time that of the event with the lower number comes first; a fault that ends at once begins before.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCHEDULE_EVENTS_MAX = 256 };

struct schedule_event {
	size_t number;               /* in the plan */
	uint64_t at_ns, until_ns;    /* until_ns: of a fault */
	bool is_fault;
};

struct schedule_step {
	uint64_t at_ns;
	size_t event;                /* its number */
	bool is_end;
};

struct schedule {
	struct schedule_step steps[2 * SCHEDULE_EVENTS_MAX];
	size_t n, next;
};

/* In any order, at most SCHEDULE_EVENTS_MAX; and once they are all there: schedule_begin(). */
void schedule_add(struct schedule *s, const struct schedule_event *e);
void schedule_begin(struct schedule *s);

uint64_t schedule_next(const struct schedule *s); /* when the next step is due; NOW_NEVER: there is none */

/* The next step, if it is due by now; else NULL. */
const struct schedule_step *schedule_take(struct schedule *s, uint64_t now_ns);
