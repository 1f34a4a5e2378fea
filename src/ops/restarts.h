/* ops/restarts.h -- when a child that has ended is started anew.
 *
 * Pure: times come in, times go out.
 */
#pragma once

#include <stdint.h>

enum {
	RESTART_MS_MIN = 1000,
	RESTART_MS_MAX = 60000,
	RESTART_GOOD_LIFE_S = 10, /* after so long the next end is a new trouble */
	RESTART_DOUBLED_MAX = 6,  /* times that the pause doubles */
};

struct restarts {
	unsigned short_lives;
};

/* A life of so many milliseconds has ended: how long to wait before the next.  There always is one: what is served meanwhile is
 * better than nothing, and what was wrong may pass (a system that is out of processes). */
unsigned restarts_next(struct restarts *r, uint64_t lived_ms);
