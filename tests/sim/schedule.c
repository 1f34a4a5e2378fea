#include "schedule.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/now.h"

static int
compare_steps(const void *a, const void *b)
{
	const struct schedule_step *x = a, *y = b;
	if (x->at_ns != y->at_ns) {
		return x->at_ns < y->at_ns ? -1 : 1;
	}
	return x->event != y->event ? (x->event < y->event ? -1 : 1) : x->is_end - y->is_end;
}

void
schedule_add(struct schedule *s, const struct schedule_event *e)
{
	ASSERT(s->n + 2 <= 2 * SCHEDULE_EVENTS_MAX);
	s->steps[s->n++] = (struct schedule_step){ .at_ns = e->at_ns, .event = e->number };
	if (e->is_fault) {
		s->steps[s->n++] = (struct schedule_step){ .at_ns = e->until_ns, .event = e->number, .is_end = true };
	}
}

void
schedule_begin(struct schedule *s)
{
	qsort(s->steps, s->n, sizeof s->steps[0], compare_steps);
}

uint64_t
schedule_next(const struct schedule *s)
{
	return s->next < s->n ? s->steps[s->next].at_ns : NOW_NEVER;
}

const struct schedule_step *
schedule_take(struct schedule *s, uint64_t now_ns)
{
	return s->next < s->n && s->steps[s->next].at_ns <= now_ns ? &s->steps[s->next++] : NULL;
}
