/* ops/pulse.h -- shows that a thread or process is alive.  The thread works in a loop, beats once in each turn, and makes a turn at least
 * every PULSE_PERIOD_MS.  A watcher looks as often.
 *
 * Pure, except for one atomic counter.  The counter may be in memory that processes share, so a stopped process is noticed like one that
 * hangs.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum { PULSE_PERIOD_MS = 1000 };

struct pulse {
	_Atomic uint32_t beats; /* one writer; wraps */
};

static inline void
pulse_beat(struct pulse *p)
{
	uint32_t beats = atomic_load_explicit(&p->beats, memory_order_relaxed);
	atomic_store_explicit(&p->beats, beats + 1, memory_order_relaxed);
}

/* What a watcher remembers.  Zero-initialised before the first look. */
struct pulse_watch {
	uint32_t seen;
	uint64_t looked_ms, silent_ms;
};

/* How long there was no beat.  The time between two looks counts as two periods at most: if the watcher itself was stopped, perhaps
 * together with what it watches, the others get time to continue. */
uint64_t pulse_silence_ms(struct pulse_watch *w, const struct pulse *p, uint64_t now_ms);
