/* Carries out a plan, in virtual time. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "git.h"
#include "net.h"

enum { SAME_TIME_MAX = 20000 };

/* ---- for people ---- */

void
world_log(const struct world *w, const char *format, ...)
{
	va_list args;
	if (!w->is_logging) {
		return;
	}
	printf("%6" PRIu64 ".%06" PRIu64 " ", w->now_ns / SECOND, w->now_ns % SECOND / 1000);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	printf("\n");
}

void
world_break(struct world *w, const char *format, ...)
{
	va_list args;
	if (w->broken[0] != '\0') {
		return;
	}
	va_start(args, format);
	(void)vsnprintf(w->broken, sizeof w->broken, format, args);
	va_end(args);
	world_log(w, "BROKEN: %s", w->broken);
}

/* ---- the plan ---- */

struct step {
	uint64_t at_ns;
	const struct plan_event *event;
	bool is_end;
};

struct schedule {
	struct step steps[2 * EVENTS_MAX];
	size_t n, next;
	uint64_t minute_ns, hour_ns;  /* when to look next */
};

static int
compare_steps(const void *a, const void *b)
{
	const struct step *x = a, *y = b;
	if (x->at_ns != y->at_ns) {
		return x->at_ns < y->at_ns ? -1 : 1;
	}
	return x->event != y->event ? (x->event < y->event ? -1 : 1) : x->is_end - y->is_end;
}

static void
make_schedule(const struct plan *p, struct schedule *s)
{
	*s = (struct schedule){ .minute_ns = MINUTE, .hour_ns = HOUR };
	for (size_t i = 0; i < p->events_n; i++) {
		const struct plan_event *e = &p->events[i];
		s->steps[s->n++] = (struct step){ .at_ns = e->at_ns, .event = e };
		if (plan_kind_is_fault(e->kind)) {
			s->steps[s->n++] = (struct step){ .at_ns = e->until_ns, .event = e, .is_end = true };
		}
	}
	qsort(s->steps, s->n, sizeof s->steps[0], compare_steps);
}

static void
split(struct world *w, const struct plan_event *e, bool is_end)
{
	unsigned by = is_end ? UINT32_MAX : 1;
	w->apart[e->node][e->other] += by;
	w->apart[e->other][e->node] += by;
}

/* Faults of one node may overlap. */
static void
crash(struct sim_node *n, bool is_end)
{
	n->down += is_end ? UINT32_MAX : 1;
	if (n->is_up && n->down != 0) {
		node_stop(n);
	} else if (!n->is_up && n->down == 0) {
		node_start(n);
	}
}

static void
break_git(struct sim_node *n, bool is_end)
{
	n->git_down += is_end ? UINT32_MAX : 1;
	if (n->git_down != 0) {
		git_die(n);
	} else {
		git_return(n);
	}
}

static void
change_fault(struct world *w, const struct plan_event *e, bool is_end)
{
	unsigned by = (unsigned)(is_end ? -e->amount : e->amount);
	switch (e->kind) {
	case PLAN_SPLIT: split(w, e, is_end); break;
	case PLAN_CRASH: crash(&w->nodes[e->node], is_end); break;
	case PLAN_CLOCK:
		node_note_clock(&w->nodes[e->node]);
		w->nodes[e->node].skew_s += is_end ? -e->amount : e->amount;
		node_note_clock(&w->nodes[e->node]);
		break;
	case PLAN_SILENT: w->nodes[e->node].silent += is_end ? UINT32_MAX : 1; break;
	case PLAN_CURT: w->nodes[e->node].curt += by; break;
	case PLAN_NO_ROOM:
		w->nodes[e->node].no_room += is_end ? UINT32_MAX : 1;
		w->nodes[e->node].room_ns = w->now_ns;
		break;
	case PLAN_NO_KEYS:
		w->no_keys[e->node][e->other] += is_end ? UINT32_MAX : 1;
		people_push_keys(w, e->node);
		break;
	case PLAN_GARBLE: w->garble += by; break;
	case PLAN_CUTS: w->cuts += by; break;
	case PLAN_REFUSALS: w->refusals += by; break;
	case PLAN_LOSS: w->loss += by; break;
	case PLAN_REPEATS: w->repeats += by; break;
	case PLAN_SLOW: w->slow_ms += by; break;
	case PLAN_NO_REMOTE: w->nodes[e->node].no_remote += is_end ? UINT32_MAX : 1; break;
	case PLAN_UNCLEAR: w->unclear += by; break;
	case PLAN_HOOKS: w->hooks += by; break;
	case PLAN_GIT_DOWN: break_git(&w->nodes[e->node], is_end); break;
	case PLAN_FULL: w->nodes[e->node].disk.full += is_end ? UINT32_MAX : 1; break;
	case PLAN_SPOIL:
		if (!is_end) {
			disk_spoil(&w->nodes[e->node].disk);
		}
		break;
	default: break;
	}
}

static void
take_step(struct world *w, const struct step *s)
{
	world_log(w, "%s%s node %u zone %u", plan_kind_name(s->event->kind), s->is_end ? " ends" : "", s->event->node, s->event->zone);
	if (plan_kind_is_fault(s->event->kind)) {
		change_fault(w, s->event, s->is_end);
	} else if (s->event->kind == PLAN_REWIND) {
		people_begin_anew(w, s->event->node);
	} else if (s->event->kind == PLAN_UPDATE) {
		clients_update(w, s->event->zone);
	} else {
		people_push(w, s->event->kind, s->event->zone);
	}
}

/* ---- time ---- */

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Pushes that were lost, and arrive after all. */
static uint64_t
late_next(const struct world *w)
{
	uint64_t at = NOW_NEVER;
	for (unsigned i = 0; i < w->plan->primaries_n; i++) {
		at = w->remotes[i].has_late ? earlier(at, w->remotes[i].late_ns) : at;
	}
	return at;
}

static void
take_late(struct world *w)
{
	for (unsigned i = 0; i < w->plan->primaries_n; i++) {
		struct remote *r = &w->remotes[i];
		if (r->has_late && r->late_ns <= w->now_ns) {
			r->has_late = false;
			bool is_taken = remote_take(r, &r->late);
			world_log(w, "a push of primary %u arrives late: %s", i, is_taken ? "taken" : "refused");
		}
	}
}

static uint64_t
plan_next(const struct world *w, const struct schedule *s)
{
	uint64_t at = s->next < s->n ? s->steps[s->next].at_ns : NOW_NEVER;
	return earlier(earlier(earlier(at, quiet_next(w)), earlier(s->minute_ns, s->hour_ns)), earlier(clients_next(w), late_next(w)));
}

static void
carry_on(struct world *w, struct schedule *s)
{
	if (s->next < s->n && s->steps[s->next].at_ns <= w->now_ns) {
		take_step(w, &s->steps[s->next++]);
	} else if (clients_next(w) <= w->now_ns) {
		clients_go_on(w);
	} else if (late_next(w) <= w->now_ns) {
		take_late(w);
	} else if (quiet_next(w) <= w->now_ns) {
		quiet_go_on(w);
	} else if (s->minute_ns <= w->now_ns) {
		s->minute_ns += MINUTE;
		check_minute(w);
		check_updates(w);
		net_close_idle(w);
	} else {
		s->hour_ns += HOUR;
		check_hour(w);
	}
}

/* One thing happens: the one whose time comes first. */
static void
step(struct world *w, struct schedule *s)
{
	uint64_t net = net_next(w), plan = plan_next(w, s), at = earlier(net, plan);
	struct sim_node *timer = NULL;
	for (unsigned i = 0; i < w->plan->nodes_n; i++) {
		uint64_t due = node_deadline(&w->nodes[i]);
		timer = due < at ? &w->nodes[i] : timer;
		at = earlier(at, due);
	}
	w->now_ns = at > w->now_ns ? at : w->now_ns;
	if (timer != NULL) {
		node_timer(timer);
	} else if (plan <= net) {
		carry_on(w, s);
	} else {
		net_deliver(w);
	}
	for (unsigned i = 0; i < w->plan->nodes_n; i++) {
		tell_go_on(&w->nodes[i]);
	}
}

static void
go_through(struct world *w, struct schedule *s)
{
	uint64_t before_ns = 0;
	for (unsigned same = 0; w->broken[0] == '\0' && w->quiet.phase != QUIET_OVER; same = w->now_ns == before_ns ? same + 1 : 0) {
		before_ns = w->now_ns;
		step(w, s);
		quiet_look(w);
		if (same > SAME_TIME_MAX) {
			world_break(w, "time stands still");
		}
	}
}

/* ---- all ---- */

bool
world_run(struct world *w, const struct plan *p, bool is_logging)
{
	static struct schedule s;
	memset(w, 0, sizeof *w);
	w->plan = p;
	w->is_logging = is_logging;
	w->quiet.next_ns = p->calm_ns;
	w->dice = (struct dice){ p->seed * 2 + 1 };
	w->of_updates = (struct dice){ ~(p->seed << 32) };
	list_init(&w->conns);
	people_begin(w);
	make_schedule(p, &s);
	for (unsigned i = 0; i < p->nodes_n; i++) {
		node_init(w, i);
		check_forget(&w->nodes[i]);
	}
	for (unsigned i = 0; i < p->nodes_n; i++) {
		node_start(&w->nodes[i]);
	}
	go_through(w, &s);
	return w->broken[0] == '\0';
}

void
world_fini(struct world *w)
{
	w->is_logging = false;
	for (unsigned i = 0; i < w->plan->nodes_n; i++) {
		if (w->nodes[i].is_up) {
			node_stop(&w->nodes[i]);
		}
		disk_fini(&w->nodes[i].disk);
	}
	clients_fini(w);
	people_fini(w);
	net_fini(w);
}
