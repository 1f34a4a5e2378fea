/* net/loop_timer.h -- a libuv timer for the next deadline of a state machine.
 *
 * A loop that has stalled (the machine was suspended, say, or had no processor to spare) runs its timers before it reads its sockets.  Then
 * the machine would take for silence what peers have answered long ago.  So a timer that is late is put off once, until the sockets were
 * read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/now.h"
#include "net/env.h"

#define LOOP_TIMER_LATE_NS (NOW_SECOND_NS / 5)

struct loop_timer {
	uv_timer_t handle; /* must be first: it is cast to the loop_timer; initialised and closed by the owner, as is its `data` */
	uv_timer_cb on_timer;
	uint64_t at_ns;
	bool is_put_off;
};

/* 1 ms, as a timer of 0 that is started by a timer may run before the sockets are read. */
static inline void
loop_timer_on_time(uv_timer_t *handle)
{
	struct loop_timer *t = (struct loop_timer *)handle;
	uint64_t now_ns = net_now().mono_ns;
	if (!t->is_put_off && now_ns >= t->at_ns && now_ns - t->at_ns > LOOP_TIMER_LATE_NS) {
		t->is_put_off = true;
		(void)uv_timer_start(handle, loop_timer_on_time, 1, 0);
		return;
	}
	t->is_put_off = false;
	t->on_timer(handle);
}

/* The timer runs out at that time (mono_ns), or not any more (NOW_NEVER). */
static inline void
loop_timer_set(struct loop_timer *t, uv_timer_cb on_timer, uint64_t at_ns)
{
	uint64_t now_ns = net_now().mono_ns;
	if (at_ns == NOW_NEVER) {
		(void)uv_timer_stop(&t->handle);
		return;
	}
	t->on_timer = on_timer;
	t->at_ns = at_ns;
	t->is_put_off &= at_ns <= now_ns;
	uv_update_time(t->handle.loop);
	(void)uv_timer_start(&t->handle, loop_timer_on_time, at_ns > now_ns ? (at_ns - now_ns + 999999) / 1000000 : 0, 0);
}
