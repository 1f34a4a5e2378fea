/* ops/restarts.h -- how long to wait before a child process that has ended is started again.
 *
 * Pure: times are arguments and results.
 */
#pragma once

#include <stdint.h>

enum {
	RESTART_MS_MIN = 1000,
	RESTART_MS_MAX = 60000,
	RESTART_GOOD_LIFE_S = 10, /* after a child that lived so long, the pauses begin with the shortest again */
	RESTART_DOUBLED_MAX = 6,  /* how many times the pause doubles */
};

struct restarts {
	unsigned short_lives; /* lives in a row that were shorter than RESTART_GOOD_LIFE_S */
};

/* A child has ended after `lived_ms`: returns the pause in milliseconds before the next.  The child is always started again: old data is
 * served meanwhile, which is better than nothing, and the trouble may pass (a system that is out of processes). */
unsigned restarts_next(struct restarts *r, uint64_t lived_ms);
