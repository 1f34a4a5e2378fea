/* net/loop_pulse.h -- shows that a libuv loop is alive: a timer that beats its pulse (ops/pulse.h).
 */
#pragma once

#include <stdbool.h>

#include <uv.h>

#include "ops/pulse.h"

struct loop_pulse {
	uv_timer_t timer; /* must be first: the timer is cast to the loop_pulse */
	struct pulse pulse;
};

static inline void
loop_pulse_on_time(uv_timer_t *timer)
{
	struct loop_pulse *lp = (struct loop_pulse *)timer;
	pulse_beat(&lp->pulse);
}

/* Starts the timer, which is closed with all other handles of the loop.  False: no memory. */
static inline bool
loop_pulse_start(uv_loop_t *loop, struct loop_pulse *lp)
{
	return uv_timer_init(loop, &lp->timer) == 0 &&
	       uv_timer_start(&lp->timer, loop_pulse_on_time, PULSE_PERIOD_MS, PULSE_PERIOD_MS) == 0;
}
