#include "ops/pulse.h"

enum { LOOK_MS_MAX = 2 * PULSE_PERIOD_MS };

uint64_t
pulse_silence_ms(struct pulse_watch *w, const struct pulse *p, uint64_t now_ms)
{
	uint32_t beats = atomic_load_explicit(&p->beats, memory_order_relaxed);
	uint64_t passed_ms = w->looked_ms != 0 ? now_ms - w->looked_ms : 0;
	w->silent_ms = beats != w->seen ? 0 : w->silent_ms + (passed_ms < LOOK_MS_MAX ? passed_ms : LOOK_MS_MAX);
	w->seen = beats;
	w->looked_ms = now_ms;
	return w->silent_ms;
}
