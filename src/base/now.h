/* base/now.h -- the time of an input, as a state machine without a clock gets it. */
#pragma once

#include <stdint.h>

struct now {
	uint64_t mono_ns; /* never goes back: for schedules */
	uint64_t wall_s;  /* since 1970: for TSIG */
};

#define NOW_NEVER UINT64_MAX /* as a time in mono_ns */
#define NOW_SECOND_NS UINT64_C(1000000000)
