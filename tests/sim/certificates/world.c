/* Carries out a plan, in virtual time. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../schedule.h"
#include "base/alloc.h"
#include "base/list.h"
#include "certificates.h"

enum { SAME_TIME_MAX = 20000, ACTIONS_MAX = 4096, HTTP_PATIENCE_S = 60 };

/* ---- for people ---- */

void
world_log(const struct world *w, const char *format, ...)
{
	va_list args;
	if (!w->is_logging) {
		return;
	}
	printf("%8" PRIu64 ".%03" PRIu64 " ", w->now_ns / SECOND, w->now_ns % SECOND / MS);
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

uint64_t
world_wall_s(const struct world *w)
{
	return WALL_S + w->now_ns / SECOND;
}

bool
world_fault(struct world *w, enum plan_kind kind)
{
	return w->faults[kind] != 0 && dice_hits(&w->dice, (unsigned)w->amounts[kind]);
}

/* ---- what is on its way ---- */

struct action *
action_new(struct world *w, enum action_kind kind, struct oacme *o, uint64_t after_ns)
{
	struct action *a = xalloc(sizeof *a);
	a->kind = kind;
	a->oacme = o;
	a->run = o != NULL ? o->run : 0;
	err_t err = w->actions.n < ACTIONS_MAX ? heap_reserve(&w->actions, w->actions.n + 1) : E_LIMIT;
	ASSERT(err == OK);
	heap_set(&w->actions, &a->timer, w->now_ns + after_ns);
	return a;
}

static void
action_free(struct action *a)
{
	str_fini(&a->bytes);
	acme_answer_fini(&a->answer);
	free(a);
}

/* Its answer comes after a while, or the news that there is none. */
static void
request_arrives(struct world *w, struct action *r)
{
	bool is_lost = w->faults[PLAN_CA_DOWN] != 0;
	uint64_t after_ns = dice_between(&w->dice, 5 * MS, 200 * MS);
	after_ns = is_lost && dice_hits(&w->dice, 300) ? HTTP_PATIENCE_S * SECOND : after_ns;
	struct action *a = action_new(w, ACTION_ANSWER, r->oacme, after_ns);
	a->run = r->run;
	a->id = r->id;
	a->is_lost = is_lost;
	if (is_lost) {
		return;
	}
	world_log(w, "%s %s", r->method == ACME_POST ? "POST" : r->method == ACME_GET ? "GET" : "HEAD", r->url);
	ca_serve(w, r->method, r->url, &r->bytes, &a->answer);
	a->is_lost = a->answer.status == 0 || world_fault(w, PLAN_CA_LOSES);
	if (w->faults[PLAN_CA_SLOW] != 0) {
		after_ns += dice_below(&w->dice, (uint64_t)w->amounts[PLAN_CA_SLOW] * SECOND);
		a->is_lost |= after_ns > HTTP_PATIENCE_S * SECOND;
		heap_set(&w->actions, &a->timer, w->now_ns + (after_ns < HTTP_PATIENCE_S * SECOND ? after_ns : HTTP_PATIENCE_S * SECOND));
	}
}

static void
answer_arrives(struct oacme *o, const struct action *a)
{
	const struct now now = oacme_now(o);
	if (a->is_lost) {
		acme_client_on_failure(o->client, &now, a->id, "connection refused");
		return;
	}
	world_log(o->world, "oacme %u: answer %u: %.200s", o->number, a->answer.status, str_text(&a->answer.body));
	acme_client_on_answer(o->client, &now, a->id, &a->answer);
}

/* What is for a process that runs. */
static void
tell(struct oacme *o, struct action *a)
{
	const struct now now = oacme_now(o);
	const uint8_t *bytes = (const uint8_t *)str_text(&a->bytes);
	switch (a->kind) {
	case ACTION_ANSWER:
		answer_arrives(o, a);
		break;
	case ACTION_UPDATED:
		certifier_updated(o->certifier, &now, a->slot, a->outcome, "the primary says so");
		break;
	case ACTION_SHOWN:
		if (o->is_asking[a->slot] && o->asked[a->slot] == a->number) {
			certifier_answered(o->certifier, &now, a->slot, bytes, a->bytes.len);
		}
		break;
	case ACTION_RESOLVED:
		certifier_resolved(o->certifier, &now, a->slot, a->name.oct, NULL, 0);
		break;
	default:
		oacme_see(o, a->number);
	}
	oacme_die_perhaps(o);
}

static void
act(struct world *w, struct action *a)
{
	switch (a->kind) {
	case ACTION_REQUEST:
		request_arrives(w, a);
		break;
	case ACTION_LOOK:
		ca_look(w, a->number);
		break;
	case ACTION_UPDATE:
		dns_on_update(w, a);
		break;
	default:
		if (a->oacme->is_up && a->oacme->run == a->run) {
			tell(a->oacme, a);
		}
	}
	action_free(a);
}

/* ---- the plan ---- */

/* The events of the plan, and when to look next. */
struct agenda {
	struct schedule events;
	uint64_t minute_ns;
};

static void
make_agenda(const struct plan *p, struct agenda *a)
{
	*a = (struct agenda){ .minute_ns = MINUTE };
	for (size_t i = 0; i < p->events_n; i++) {
		const struct plan_event *e = &p->events[i];
		schedule_add(&a->events, &(struct schedule_event){ .number = i, .at_ns = e->at_ns, .until_ns = e->until_ns,
		                                                 .is_fault = plan_kind_is_fault(e->kind) });
	}
	schedule_begin(&a->events);
}

static void
go_down(struct oacme *o, bool is_end)
{
	o->down -= is_end;
	o->down += !is_end;
	if (o->down != 0) {
		oacme_stop(o);
	} else if (!o->is_up) {
		oacme_start(o);
	}
}

static void
go_deaf(struct oacme *o, bool is_end)
{
	o->deaf -= is_end;
	o->deaf += !is_end;
	for (unsigned i = 0; i < ZONES && o->deaf == 0 && o->is_up; i++) {
		struct action *a = action_new(o->world, ACTION_SEE, o, SECOND);
		a->number = i;
	}
}

static void
carry_out_fault(struct world *w, const struct plan_event *e, bool is_end)
{
	w->faults[e->kind] += !is_end;
	w->faults[e->kind] -= is_end;
	w->amounts[e->kind] = e->amount;
	switch (e->kind) {
	case PLAN_KILL: go_down(&w->oacmes[0], is_end); break;
	case PLAN_SECOND: go_down(&w->oacmes[1], !is_end); break;
	case PLAN_CLOCK: w->oacmes[0].skew_s += is_end ? -e->amount : e->amount; break;
	case PLAN_DEAF: go_deaf(&w->oacmes[0], is_end); break;
	case PLAN_SERVER_DEAD: w->dead[e->which] += is_end ? -1u : 1u; break;
	case PLAN_SERVER_LAGS: w->lag_s[e->which] += is_end ? -e->amount : e->amount; break;
	case PLAN_CA_FORGETS:
		if (!is_end) {
			ca_forget(&w->ca);
		}
		break;
	default: break;
	}
}

static void
carry_out(struct world *w, const struct schedule_step *s)
{
	const struct plan_event *e = &w->plan->events[s->event];
	world_log(w, "--- %s%s %u, %" PRId64, plan_kind_name(e->kind), s->is_end ? " ends" : "", e->which, e->amount);
	if (!plan_kind_is_fault(e->kind)) {
		people_do(w, e);
	} else {
		carry_out_fault(w, e, s->is_end);
	}
}

/* ---- the run ---- */

static uint64_t
next_ns(const struct world *w, const struct agenda *a)
{
	const struct heap_node *first = heap_first(&w->actions);
	uint64_t next = a->minute_ns, event = schedule_next(&a->events);
	next = first != NULL && first->at < next ? first->at : next;
	next = event < next ? event : next;
	for (unsigned i = 0; i < OACMES; i++) {
		uint64_t at = oacme_deadline(&w->oacmes[i]);
		next = at < next ? at : next;
	}
	return next > w->now_ns ? next : w->now_ns;
}

static void
step_on(struct world *w, struct agenda *a)
{
	const struct schedule_step *s;
	struct heap_node *first;
	while ((s = schedule_take(&a->events, w->now_ns)) != NULL) {
		carry_out(w, s);
	}
	while ((first = heap_first(&w->actions)) != NULL && first->at <= w->now_ns) {
		heap_remove(&w->actions, first);
		act(w, LIST_ENTRY(first, struct action, timer));
	}
	for (unsigned i = 0; i < OACMES; i++) {
		oacme_go_on(&w->oacmes[i]);
	}
	if (a->minute_ns <= w->now_ns) {
		a->minute_ns = w->now_ns + (w->plan->is_long ? HOUR : MINUTE);
		check_minute(w);
	}
}

static void
begin(struct world *w, const struct plan *p, bool is_logging)
{
	*w = (struct world){ .plan = p, .dice = { p->seed ^ 0x5EED }, .is_logging = is_logging };
	for (unsigned i = 0; i < OACMES; i++) {
		oacme_init(w, i);
	}
	dns_begin(w);
	people_begin(w);
	w->oacmes[1].down = 1;
	oacme_start(&w->oacmes[0]);
}

bool
world_run(struct world *w, const struct plan *p, bool is_logging)
{
	struct agenda a;
	unsigned same_time = 0;
	begin(w, p, is_logging);
	make_agenda(p, &a);
	while (w->broken[0] == '\0' && !check_is_over(w)) {
		uint64_t next = next_ns(w, &a);
		same_time = next == w->now_ns ? same_time + 1 : 0;
		if (same_time > SAME_TIME_MAX) {
			world_break(w, "time stands still");
		}
		w->now_ns = next;
		step_on(w, &a);
	}
	return w->broken[0] == '\0';
}

void
world_fini(struct world *w)
{
	struct heap_node *first;
	for (unsigned i = 0; i < OACMES; i++) {
		oacme_stop(&w->oacmes[i]);
	}
	while ((first = heap_first(&w->actions)) != NULL) {
		heap_remove(&w->actions, first);
		action_free(LIST_ENTRY(first, struct action, timer));
	}
	heap_fini(&w->actions);
	dns_fini(w);
	ca_fini(&w->ca);
}
