/* net/loop_timer.h -- a libuv timer for the next deadline of a state machine. */
#pragma once

#include <stdint.h>

#include <uv.h>

#include "base/now.h"
#include "net/env.h"

/* The timer runs out at that time (mono_ns), or not any more (NOW_NEVER). */
static inline void
loop_timer_set(uv_timer_t *timer, uv_timer_cb on_timer, uint64_t at_ns)
{
	uint64_t now_ns = net_now().mono_ns;
	if (at_ns == NOW_NEVER) {
		(void)uv_timer_stop(timer);
		return;
	}
	uv_update_time(timer->loop);
	(void)uv_timer_start(timer, on_timer, at_ns > now_ns ? (at_ns - now_ns + 999999) / 1000000 : 0, 0);
}
