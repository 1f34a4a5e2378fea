/* net/loop_pulse.h -- the pulse of a libuv loop: a timer that beats (ops/pulse.h).
 */
#pragma once

#include <stdbool.h>

#include <uv.h>

#include "ops/pulse.h"

struct loop_pulse {
	uv_timer_t timer; /* first */
	struct pulse pulse;
};

static inline void
loop_pulse_on_time(uv_timer_t *timer)
{
	struct loop_pulse *lp = (struct loop_pulse *)timer;
	pulse_beat(&lp->pulse);
}

/* False: no memory.  Its end is that of every handle of the loop. */
static inline bool
loop_pulse_start(uv_loop_t *loop, struct loop_pulse *lp)
{
	return uv_timer_init(loop, &lp->timer) == 0 &&
	       uv_timer_start(&lp->timer, loop_pulse_on_time, PULSE_PERIOD_MS, PULSE_PERIOD_MS) == 0;
}
