/* auth/pull_pace.h -- decides when to pull: as soon as a pull is wanted, but with pauses if somebody asks again and again.
 *
 * While one pull is under way, one more can wait: however many ask, one more pull sees all pushes that were announced.  A pull
 * that brings nothing doubles the pause before the next one, beginning with PULL_PAUSE_MIN_MS.  A pull that brings a commit ends
 * the pause; PULL_CALM_MS without pulls end it, too.  So a push is served at once, even the tenth in a row; and a client that
 * repeats its notifications causes a fetch every two seconds at most.
 *
 * When an update waits for the pull, the pause is at most PULL_PAUSE_UPDATE_MAX_MS, since the updates of all keys wait with it.
 *
 * Pure, one thread; all times are of one monotonic clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	PULL_PAUSE_MIN_MS = 50,
	PULL_PAUSE_MAX_MS = 2000,
	PULL_PAUSE_UPDATE_MAX_MS = 200,
	PULL_CALM_MS = 30000,
};

enum pull_wish { PULL_UNWANTED, PULL_FOR_NEWS, PULL_FOR_UPDATE }; /* the more urgent, the higher */

/* Ready for use when zeroed. */
struct pull_pace {
	enum pull_wish wanted;   /* not begun yet */
	bool is_under_way;
	unsigned pause_ms;       /* after the last pull; 0: none */
	uint64_t ended_ms;       /* when the last pull ended */
};

void pull_pace_want(struct pull_pace *p, enum pull_wish wish);

/* Milliseconds until the wanted pull may begin; UINT64_MAX: none is wanted, or one is under way. */
uint64_t pull_pace_wait(const struct pull_pace *p, uint64_t now_ms);

/* True: a pull is to begin now, and counts as under way. */
bool pull_pace_begin(struct pull_pace *p, uint64_t now_ms);

/* The pull under way has ended. */
void pull_pace_end(struct pull_pace *p, bool has_brought, uint64_t now_ms);

/* A new git process begins with a pull, whatever was wanted before. */
void pull_pace_restart(struct pull_pace *p);
