#include "auth/pull_pace.h"

void
pull_pace_want(struct pull_pace *p, enum pull_wish wish)
{
	p->wanted = wish > p->wanted ? wish : p->wanted;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

uint64_t
pull_pace_wait(const struct pull_pace *p, uint64_t now_ms)
{
	unsigned pause_ms = p->wanted == PULL_FOR_UPDATE ? least(p->pause_ms, PULL_PAUSE_UPDATE_MAX_MS) : p->pause_ms;
	uint64_t since_ms = now_ms - p->ended_ms;
	if (p->is_under_way || p->wanted == PULL_UNWANTED) {
		return UINT64_MAX;
	}
	return since_ms < pause_ms ? pause_ms - since_ms : 0;
}

bool
pull_pace_begin(struct pull_pace *p, uint64_t now_ms)
{
	if (pull_pace_wait(p, now_ms) != 0) {
		return false;
	}
	if (now_ms - p->ended_ms >= PULL_CALM_MS) {
		p->pause_ms = 0;
	}
	p->wanted = PULL_UNWANTED;
	p->is_under_way = true;
	return true;
}

void
pull_pace_end(struct pull_pace *p, bool has_brought, uint64_t now_ms)
{
	p->is_under_way = false;
	p->ended_ms = now_ms;
	if (has_brought) {
		p->pause_ms = 0;
	} else {
		p->pause_ms = p->pause_ms == 0 ? PULL_PAUSE_MIN_MS : least(2 * p->pause_ms, PULL_PAUSE_MAX_MS);
	}
}

void
pull_pace_restart(struct pull_pace *p)
{
	p->wanted = PULL_UNWANTED;
	p->is_under_way = true;
}
