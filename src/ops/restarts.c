#include "ops/restarts.h"

bool
restarts_next(struct restarts *r, uint64_t lived_ms, unsigned *pause_ms)
{
	r->short_lives = lived_ms >= RESTART_GOOD_LIFE_S * 1000u ? 1 : r->short_lives + 1;
	if (r->short_lives >= RESTARTS_MAX) {
		return false;
	}
	unsigned ms = (unsigned)RESTART_MS_MIN << (r->short_lives - 1);
	*pause_ms = ms < RESTART_MS_MAX ? ms : RESTART_MS_MAX;
	return true;
}
