/* certificates: gets certificates in virtual time, a run for each seed; see certificates.h.
 *
 *     certificates --seeds 1-200           silent but for a line at the end, and for each seed that fails
 *     certificates --seed 42 --log         tells all that happens
 *     certificates --seed 42 --shrink      leaves out events that are not needed to fail, and tells the rest; with --log, all that
 *                                          happens then
 */
#include <inttypes.h>
#include <stdio.h>

#include "../options.h"
#include "../seeds.h"
#include "certificates.h"

static void
print_plan(const struct plan *p)
{
	static const char *const places[] = { "", ", proofs by a CNAME", ", proofs in a delegated zone" };
	static const char *const rights[] = { "", ", keys by type", ", keys by host" };
	static const char *const chains[] = { "", ", two chains", "", ", two chains, the second preferred" };
	printf("%u hosts, %u name servers, certificates for %" PRIu64 " days%s%s%s\n", p->hosts_n, p->servers_n, p->life_s / 86400,
	       p->has_window ? ", renewal information" : "", p->is_reusing ? ", proofs are used again" : "",
	       places[p->place]);
	printf("%u s until the zone of the proofs comes, lasting proofs %x%s%s%s\n", p->late_s, p->lasting,
	       p->has_lasting ? "" : " that the CA does not take", rights[p->rights], chains[p->has_alternates + 2 * p->prefers_other]);
	for (size_t i = 0; i < p->events_n; i++) {
		plan_print_event(&p->events[i]);
	}
	printf("calm from %" PRIu64 " s\n", p->calm_ns / SECOND);
}

/* ---- a run, and all of them ---- */

static struct plan plan;
static struct world world;
static uint64_t requests, requests_hour, orders, certs, updates;

static bool
run(const struct plan *p, bool is_logging)
{
	return world_run(&world, p, is_logging);
}

static struct outcome
end(const struct plan *p)
{
	requests += world.requests;
	requests_hour = world.requests_hour_most > requests_hour ? world.requests_hour_most : requests_hour;
	orders += world.orders;
	certs += world.certs;
	updates += world.updates;
	world_fini(&world);
	return (struct outcome){ .now_ns = world.now_ns, .settled_ns = world.settled_ns, .settle_max_ns = plan_settle_ns(p), .broken = world.broken };
}

static void
print_counts(void)
{
	printf("%" PRIu64 " requests to the CA, at most %" PRIu64 " in an hour, %" PRIu64 " orders, %" PRIu64 " certificates, %" PRIu64 " UPDATEs",
	       requests, requests_hour, orders, certs, updates);
}

int
main(int argc, char **argv)
{
	static const struct simulator sim = {
		.name = "certificates", .plan = &plan, .events = plan.events, .events_n = &plan.events_n, .event_size = sizeof plan.events[0],
		.make = plan_make, .print = print_plan, .run = run, .end = end, .print_counts = print_counts,
	};
	struct options o;
	options_read(&o, argc, argv, "Gets certificates in virtual time.");
	people_keys_begin();
	oacme_keys_begin();
	ca_keys_begin();
	int status = seeds_run(&sim, &o);
	people_keys_end();
	oacme_keys_end();
	ca_keys_end();
	return status;
}
