/* sim: runs fleets in virtual time, one for each seed; see sim.h.
 *
 *     sim --seeds 1-200           silent but for a line at the end, and for each seed that fails
 *     sim --seed 42 --log         tells all that happens
 *     sim --seed 42 --shrink      leaves out events that are not needed to fail, and tells the rest; with --log, all that happens then
 */
#include <inttypes.h>
#include <stdio.h>

#include "options.h"
#include "seeds.h"
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

/* ---- a run, and all of them ---- */

static struct plan plan;
static struct world world;
static uint64_t messages, questions, transfers;

static bool
run(const struct plan *p, bool is_logging)
{
	return world_run(&world, p, is_logging);
}

static struct outcome
end(const struct plan *p)
{
	world_fini(&world);
	messages += world.messages;
	questions += world.questions;
	transfers += world.transfers;
	return (struct outcome){ .now_ns = world.now_ns, .settled_ns = world.settled_ns, .settle_max_ns = plan_settle_ns(p), .broken = world.broken };
}

static void
print_counts(void)
{
	printf("%" PRIu64 " messages, %" PRIu64 " questions by UDP, %" PRIu64 " transfers", messages, questions, transfers);
}

int
main(int argc, char **argv)
{
	static const struct simulator sim = {
		.name = "sim", .plan = &plan, .events = plan.events, .events_n = &plan.events_n, .event_size = sizeof plan.events[0],
		.make = plan_make, .print = print_plan, .run = run, .end = end, .print_counts = print_counts,
	};
	struct options o;
	options_read(&o, argc, argv, "Runs fleets of name servers in virtual time.");
	return seeds_run(&sim, &o);
}
