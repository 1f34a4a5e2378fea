#include "ops/restarts.h"

unsigned
restarts_next(struct restarts *r, uint64_t lived_ms)
{
	r->short_lives = lived_ms >= RESTART_GOOD_LIFE_S * 1000u ? 1 : r->short_lives + 1;
	unsigned doubled = r->short_lives - 1 < RESTART_DOUBLED_MAX ? r->short_lives - 1 : RESTART_DOUBLED_MAX;
	unsigned ms = (unsigned)RESTART_MS_MIN << doubled;
	return ms < RESTART_MS_MAX ? ms : RESTART_MS_MAX;
}
