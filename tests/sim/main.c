/* sim: runs fleets in virtual time, one for each seed; see sim.h.
 *
 *     sim --seeds 1-200           silent but for a line at the end, and for each seed that fails
 *     sim --seed 42 --log         tells all that happens
 *     sim --seed 42 --shrink      leaves out events that are not needed to fail, and tells the rest; with --log, all that happens then
 */
#include <argp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shrink.h"
#include "sim.h"

/* Of sanitizers, which end the process on their own. */
[[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)(void));

enum { FAILURES_MAX = 10 };

struct options {
	uint64_t first, last;
	bool is_logging, shrinks;
	unsigned failures_max;
};

static uint64_t seed_now;

static const struct argp_option option_table[] = {
	{ "seeds", 's', "A-B", 0, "these seeds (1-200)", 0 },
	{ "seed", 'n', "N", 0, "this one", 0 },
	{ "log", 'l', NULL, 0, "tell all that happens", 0 },
	{ "first", 'f', NULL, 0, "end with the first seed that fails", 0 },
	{ "shrink", 'k', NULL, 0, "leave out of a seed that fails what is not needed for that", 0 },
	{ 0 },
};

static void
read_range(struct options *o, const char *arg, struct argp_state *state)
{
	int end = 0;
	if (sscanf(arg, "%" SCNu64 "-%" SCNu64 "%n", &o->first, &o->last, &end) != 2 || arg[end] != '\0' || o->first > o->last) {
		argp_error(state, "--seeds=%s: should be two numbers, the smaller one first: 1-200", arg);
	}
}

static error_t
take_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	switch (key) {
	case 's': read_range(o, arg, state); return 0;
	case 'n': o->first = o->last = strtoull(arg, NULL, 10); return 0;
	case 'l': o->is_logging = true; return 0;
	case 'f': o->failures_max = 1; return 0;
	case 'k': o->shrinks = true; return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* The process ends at once: by a sanitizer, an assertion, or a signal. */
static void
tell_seed(void)
{
	fprintf(stderr, "seed %" PRIu64 " has ended the process; again: sim --seed %" PRIu64 " --log\n", seed_now, seed_now);
}

static void
on_end(int number)
{
	tell_seed(); /* not safe in a signal handler at large, but the process is about to end */
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

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

static bool
run(uint64_t seed, const struct options *o, struct totals *t)
{
	static struct world w;
	static struct plan p;
	seed_now = seed;
	plan_make(&p, seed);
	if (o->shrinks && shrink_fails(&p)) {
		shrink(&p);
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
	static const struct argp argp = { option_table, take_option, NULL, "Runs fleets of name servers in virtual time.", NULL, NULL, NULL };
	struct options o = { .first = 1, .last = 200, .failures_max = FAILURES_MAX };
	struct totals t = { 0 };
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (__sanitizer_set_death_callback != NULL) {
		__sanitizer_set_death_callback(tell_seed);
	} else {
		(void)signal(SIGSEGV, on_end);
	}
	(void)signal(SIGABRT, on_end);
	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* nothing is lost when a run ends the process */
	for (uint64_t seed = o.first; seed <= o.last && t.failures < o.failures_max; seed++) {
		t.failures += !run(seed, &o, &t);
	}
	printf("%" PRIu64 " seeds, %" PRIu64 " failed; %" PRIu64 " h, %" PRIu64 " messages, %" PRIu64 " questions by UDP, %" PRIu64 " transfers; settled in %" PRIu64
	       " s, %" PRIu64 " %% of the bound\n", t.seeds, t.failures, t.virtual_ns / HOUR, t.messages, t.questions, t.transfers, t.settled_ns / SECOND, t.settled_part);
	if (t.failures != 0) {
		printf("again: sim --seed N --log, or --shrink\n");
	}
	return t.failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
