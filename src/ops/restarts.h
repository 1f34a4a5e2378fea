/* ops/restarts.h -- when a child that has ended is started anew.
 *
 * Pure: times come in, times go out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	RESTART_MS_MIN = 1000,
	RESTART_MS_MAX = 60000,
	RESTART_GOOD_LIFE_S = 60, /* after so long the next end is a new trouble */
	RESTARTS_MAX = 8,         /* short lives in a row; then it will not get better by itself: some two minutes */
};

struct restarts {
	unsigned short_lives;
};

/* A life of so many milliseconds has ended.  False: it was the last. */
bool restarts_next(struct restarts *r, uint64_t lived_ms, unsigned *pause_ms);
