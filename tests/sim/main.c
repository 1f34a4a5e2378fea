/* sim: runs fleets in virtual time, one for each seed; see sim.h.
 *
 *     sim --seeds 1-200           silent but for a line at the end, and for each seed that fails
 *     sim --seed 42 --log         tells all that happens
 *     sim --seed 42 --shrink      leaves out events that are not needed to fail, and tells the rest; with --log, all that happens then
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "shrink.h"
#include "sim.h"

static void
print_plan(const struct plan *p)
{
	for (size_t i = 0; i < p->edges_n; i++) {
		const struct plan_edge *e = &p->edges[i];
		printf("node %u follows %u: zones of primary %u%s%s\n", e->child, e->parent, e->primary, e->zone < 0 ? "" : ", one by one",
		       e->is_kept ? ", hidden" : "");
		if (p->by_catalog[e->child][e->primary]) {
			printf("node %u follows the catalog of primary %u\n", e->child, e->primary);
		}
	}
	for (size_t i = 0; i < p->events_n; i++) {
		plan_print_event(p, &p->events[i]);
	}
	printf("calm from %" PRIu64 " s\n", p->calm_ns / SECOND);
}

struct totals {
	uint64_t seeds, failures, virtual_ns, messages, questions, transfers, settled_ns, settled_part;
};

static void
add_up(struct totals *t, const struct world *w, const struct plan *p)
{
	uint64_t part = w->settled_ns * 100 / plan_settle_ns(p);
	t->seeds++;
	t->virtual_ns += w->now_ns;
	t->messages += w->messages;
	t->transfers += w->transfers;
	t->questions += w->questions;
	t->settled_ns = w->settled_ns > t->settled_ns ? w->settled_ns : t->settled_ns;
	t->settled_part = part > t->settled_part ? part : t->settled_part;
}

static void
tell_failure(const struct world *w, const struct plan *p)
{
	printf("seed %" PRIu64 " fails at %" PRIu64 " s: %s\n", p->seed, w->now_ns / SECOND, w->broken);
}

/* ---- without some events ---- */

static void
leave_out(const struct plan *p, const bool *is_out, struct plan *out)
{
	size_t n = 0;
	*out = *p;
	for (size_t i = 0; i < p->events_n; i++) {
		if (!is_out[i]) {
			out->events[n++] = p->events[i];
		}
	}
	out->events_n = n;
}

static bool
run_without(const void *plan, const bool *is_out)
{
	static struct world w;
	static struct plan less;
	leave_out(plan, is_out, &less);
	return world_run(&w, &less, false);
}

static void
shrink_plan(struct plan *p)
{
	static struct plan all;
	bool is_out[EVENTS_MAX] = { false };
	all = *p;
	struct shrink s = { .n = all.events_n, .is_out = is_out, .run = run_without, .plan = &all };
	if (shrink_fails(&s)) {
		shrink(&s);
		leave_out(&all, is_out, p);
	}
}

static bool
run(uint64_t seed, const struct options *o, struct totals *t)
{
	static struct world w;
	static struct plan p;
	plan_make(&p, seed);
	if (o->shrinks) {
		shrink_plan(&p);
	}
	if (o->is_logging || o->shrinks) {
		print_plan(&p);
	}
	bool is_good = world_run(&w, &p, o->is_logging);
	world_fini(&w);
	add_up(t, &w, &p);
	if (!is_good) {
		tell_failure(&w, &p);
	}
	return is_good;
}

int
main(int argc, char **argv)
{
	struct options o;
	struct totals t = { 0 };
	options_read(&o, argc, argv, "Runs fleets of name servers in virtual time.");
	for (uint64_t seed = o.first; seed <= o.last && t.failures < o.failures_max; seed++) {
		options_note_seed(seed);
		t.failures += !run(seed, &o, &t);
	}
	printf("%" PRIu64 " seeds, %" PRIu64 " failed; %" PRIu64 " h, %" PRIu64 " messages, %" PRIu64 " questions by UDP, %" PRIu64 " transfers; settled in %" PRIu64
	       " s, %" PRIu64 " %% of the bound\n", t.seeds, t.failures, t.virtual_ns / HOUR, t.messages, t.questions, t.transfers, t.settled_ns / SECOND, t.settled_part);
	if (t.failures != 0) {
		printf("again: sim --seed N --log, or --shrink\n");
	}
	return t.failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
