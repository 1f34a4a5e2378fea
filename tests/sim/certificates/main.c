/* certificates: gets certificates in virtual time, a run for each seed; see certificates.h.
 *
 *     certificates --seeds 1-200           silent but for a line at the end, and for each seed that fails
 *     certificates --seed 42 --log         tells all that happens
 *     certificates --seed 42 --shrink      leaves out events that are not needed to fail, and tells the rest; with --log, all that
 *                                          happens then
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../options.h"
#include "../shrink.h"
#include "certificates.h"

struct totals {
	uint64_t seeds, failures, virtual_ns, requests, requests_hour, orders, certs, updates, settled_ns, settled_part;
};

static uint64_t
more(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void
add_up(struct totals *t, const struct world *w, const struct plan *p)
{
	t->seeds++;
	t->virtual_ns += w->now_ns;
	t->requests += w->requests;
	t->requests_hour = more(t->requests_hour, w->requests_hour_most);
	t->orders += w->orders;
	t->certs += w->certs;
	t->updates += w->updates;
	t->settled_ns = more(t->settled_ns, w->settled_ns);
	t->settled_part = more(t->settled_part, w->settled_ns * 100 / plan_settle_ns(p));
}

static void
print_plan(const struct plan *p)
{
	static const char *const places[] = { "", ", proofs by a CNAME", ", proofs in a delegated zone" };
	printf("%u hosts, %u name servers, certificates for %" PRIu64 " days%s%s%s\n", p->hosts_n, p->servers_n, p->life_s / 86400,
	       p->has_window ? ", renewal information" : "", p->is_reusing ? ", proofs are used again" : "",
	       places[p->place]);
	for (size_t i = 0; i < p->events_n; i++) {
		plan_print_event(&p->events[i]);
	}
	printf("calm from %" PRIu64 " s\n", p->calm_ns / SECOND);
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
	add_up(t, &w, &p);
	if (!is_good) {
		printf("seed %" PRIu64 " fails at %" PRIu64 " s: %s\n", p.seed, w.now_ns / SECOND, w.broken);
	}
	world_fini(&w);
	return is_good;
}

int
main(int argc, char **argv)
{
	struct options o;
	struct totals t = { 0 };
	options_read(&o, argc, argv, "Gets certificates in virtual time.");
	people_keys_begin();
	oacme_keys_begin();
	ca_keys_begin();
	for (uint64_t seed = o.first; seed <= o.last && t.failures < o.failures_max; seed++) {
		options_note_seed(seed);
		t.failures += !run(seed, &o, &t);
	}
	people_keys_end();
	oacme_keys_end();
	ca_keys_end();
	printf("%" PRIu64 " seeds, %" PRIu64 " failed; %" PRIu64 " h, %" PRIu64 " requests to the CA, at most %" PRIu64
	       " in an hour, %" PRIu64
	       " orders, %" PRIu64 " certificates, %" PRIu64 " UPDATEs; settled in %" PRIu64 " s, %" PRIu64 " %% of the bound\n",
	       t.seeds, t.failures, t.virtual_ns / HOUR, t.requests, t.requests_hour, t.orders, t.certs, t.updates, t.settled_ns / SECOND,
	       t.settled_part);
	if (t.failures != 0) {
		printf("again: certificates --seed N --log, or --shrink\n");
	}
	return t.failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
