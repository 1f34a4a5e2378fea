/* tests/sim/seeds.h -- what simulators do for people: runs the seeds of the command line one by one, leaves out of the plans that fail what
 * is not needed for that (shrink.h), and tells what failed and what came of all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"

struct plan; /* the simulator's own */

/* What a run has come to. */
struct outcome {
	uint64_t now_ns;
	uint64_t settled_ns, settle_max_ns; /* how long that took after the calm, and its bound */
	const char *broken;                 /* what does not hold, if it fails */
};

struct simulator {
	const char *name;
	struct plan *plan;                  /* room for one */
	void *events;                       /* in it; likewise: */
	size_t *events_n, event_size;
	void (*make)(struct plan *p, uint64_t seed);
	void (*print)(const struct plan *p);
	bool (*run)(const struct plan *p, bool is_logging); /* false: it fails */
	struct outcome (*end)(const struct plan *p);        /* of that run, which counts */
	void (*print_counts)(void);                         /* of all that have ended, within a line */
};

/* Returns the status for exit(). */
int seeds_run(const struct simulator *sim, const struct options *o);
