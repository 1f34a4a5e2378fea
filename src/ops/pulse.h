/* ops/pulse.h -- is it alive?  Whoever works in a loop beats once a turn and comes round at least every PULSE_PERIOD_MS;
 * somebody else looks as often.
 *
 * Pure but for one atomic counter, which may lie in memory that processes share: a stopped process beats as little as one that hangs.
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

/* The one who looks.  Zero-initialised it begins. */
struct pulse_watch {
	uint32_t seen;
	uint64_t looked_ms, silent_ms;
};

/* For how long it has not beaten.  Time in which nobody looked does not count, but for two periods: who was stopped together with
 * those whom he watches gives them the chance to go on. */
uint64_t pulse_silence_ms(struct pulse_watch *w, const struct pulse *p, uint64_t now_ms);
