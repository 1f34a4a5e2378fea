/* Carries out a plan, in virtual time. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "git.h"
#include "net.h"
#include "schedule.h"

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

/* The events of the plan, and when to look next. */
struct agenda {
	struct schedule events;
	uint64_t minute_ns, hour_ns;
};

static void
make_agenda(const struct plan *p, struct agenda *a)
{
	*a = (struct agenda){ .minute_ns = MINUTE, .hour_ns = HOUR };
	for (size_t i = 0; i < p->events_n; i++) {
		const struct plan_event *e = &p->events[i];
		schedule_add(&a->events, &(struct schedule_event){ .number = i, .at_ns = e->at_ns, .until_ns = e->until_ns,
		                                                 .is_fault = plan_kind_is_fault(e->kind) });
	}
	schedule_begin(&a->events);
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
take_step(struct world *w, const struct schedule_step *s)
{
	const struct plan_event *e = &w->plan->events[s->event];
	world_log(w, "%s%s node %u zone %u", plan_kind_name(e->kind), s->is_end ? " ends" : "", e->node, e->zone);
	if (plan_kind_is_fault(e->kind)) {
		change_fault(w, e, s->is_end);
	} else if (e->kind == PLAN_REWIND) {
		people_begin_anew(w, e->node);
	} else if (e->kind == PLAN_UPDATE) {
		clients_update(w, e->zone);
	} else {
		people_push(w, e->kind, e->zone);
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
plan_next(const struct world *w, const struct agenda *a)
{
	uint64_t at = earlier(schedule_next(&a->events), quiet_next(w));
	return earlier(earlier(at, earlier(a->minute_ns, a->hour_ns)), earlier(clients_next(w), late_next(w)));
}

static void
carry_on(struct world *w, struct agenda *a)
{
	const struct schedule_step *s = schedule_take(&a->events, w->now_ns);
	if (s != NULL) {
		take_step(w, s);
	} else if (clients_next(w) <= w->now_ns) {
		clients_go_on(w);
	} else if (late_next(w) <= w->now_ns) {
		take_late(w);
	} else if (quiet_next(w) <= w->now_ns) {
		quiet_go_on(w);
	} else if (a->minute_ns <= w->now_ns) {
		a->minute_ns += MINUTE;
		check_minute(w);
		check_updates(w);
		net_close_idle(w);
	} else {
		a->hour_ns += HOUR;
		check_hour(w);
	}
}

/* One thing happens: the one whose time comes first. */
static void
step(struct world *w, struct agenda *a)
{
	uint64_t net = net_next(w), plan = plan_next(w, a), at = earlier(net, plan);
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
		carry_on(w, a);
	} else {
		net_deliver(w);
	}
	for (unsigned i = 0; i < w->plan->nodes_n; i++) {
		tell_go_on(&w->nodes[i]);
	}
}

static void
go_through(struct world *w, struct agenda *a)
{
	uint64_t before_ns = 0;
	for (unsigned same = 0; w->broken[0] == '\0' && w->quiet.phase != QUIET_OVER; same = w->now_ns == before_ns ? same + 1 : 0) {
		before_ns = w->now_ns;
		step(w, a);
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
	static struct agenda a;
	memset(w, 0, sizeof *w);
	w->plan = p;
	w->is_logging = is_logging;
	w->quiet.next_ns = p->calm_ns;
	w->dice = (struct dice){ p->seed * 2 + 1 };
	w->of_updates = (struct dice){ ~(p->seed << 32) };
	list_init(&w->conns);
	people_begin(w);
	make_agenda(p, &a);
	for (unsigned i = 0; i < p->nodes_n; i++) {
		node_init(w, i);
		check_forget(&w->nodes[i]);
	}
	for (unsigned i = 0; i < p->nodes_n; i++) {
		node_start(&w->nodes[i]);
	}
	go_through(w, &a);
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
