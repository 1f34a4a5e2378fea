#include "seeds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "shrink.h"
#include "units.h"

struct totals {
	uint64_t seeds, failures, virtual_ns, settled_ns, settled_part;
};

static uint64_t
more(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void
add_up(struct totals *t, const struct outcome *is)
{
	t->seeds++;
	t->virtual_ns += is->now_ns;
	t->settled_ns = more(t->settled_ns, is->settled_ns);
	t->settled_part = more(t->settled_part, is->settled_ns * 100 / is->settle_max_ns);
}

/* ---- without some events ---- */

static void
leave_out(const struct simulator *sim, const bool *is_out)
{
	uint8_t *events = sim->events;
	size_t n = 0;
	for (size_t i = 0; i < *sim->events_n; i++) {
		if (!is_out[i]) {
			memmove(events + n++ * sim->event_size, events + i * sim->event_size, sim->event_size);
		}
	}
	*sim->events_n = n;
}

/* In a process of its own, so the plan stays as it is. */
static bool
run_without(const void *ctx, const bool *is_out)
{
	const struct simulator *sim = ctx;
	leave_out(sim, is_out);
	return sim->run(sim->plan, false);
}

static void
shrink_plan(const struct simulator *sim)
{
	bool is_out[SHRINK_MAX] = { false };
	struct shrink s = { .n = *sim->events_n, .is_out = is_out, .run = run_without, .ctx = sim };
	ASSERT(s.n <= SHRINK_MAX);
	if (shrink_fails(&s)) {
		shrink(&s);
		leave_out(sim, is_out);
	}
}

/* ---- all ---- */

static bool
run(const struct simulator *sim, uint64_t seed, const struct options *o, struct totals *t)
{
	sim->make(sim->plan, seed);
	if (o->shrinks) {
		shrink_plan(sim);
	}
	if (o->is_logging || o->shrinks) {
		sim->print(sim->plan);
	}
	bool is_good = sim->run(sim->plan, o->is_logging);
	const struct outcome is = sim->end(sim->plan);
	add_up(t, &is);
	if (!is_good) {
		printf("seed %" PRIu64 " fails at %" PRIu64 " s: %s\n", seed, is.now_ns / SECOND, is.broken);
	}
	return is_good;
}

int
seeds_run(const struct simulator *sim, const struct options *o)
{
	struct totals t = { 0 };
	for (uint64_t seed = o->first; seed <= o->last && t.failures < o->failures_max; seed++) {
		options_note_seed(seed);
		t.failures += !run(sim, seed, o, &t);
	}
	printf("%" PRIu64 " seeds, %" PRIu64 " failed; %" PRIu64 " h, ", t.seeds, t.failures, t.virtual_ns / HOUR);
	sim->print_counts();
	printf("; settled in %" PRIu64 " s, %" PRIu64 " %% of the bound\n", t.settled_ns / SECOND, t.settled_part);
	if (t.failures != 0) {
		printf("again: %s --seed N --log, or --shrink\n", sim->name);
	}
	return t.failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
