/* auth/pull_pace.h -- when to pull: as soon as it is wanted, but not as often as somebody can ask.
 *
 * One pull is under way, one waits: however many ask, one more pull sees whatever they speak of.  A pull that brings nothing makes the
 * pause before the next one longer, from PULL_PAUSE_MIN_MS on by doubling; one that brings a commit ends that, and so does a calm of
 * PULL_CALM_MS.  So a push is served at once, also the tenth in a row, and who repeats himself costs the git server a fetch every two
 * seconds.
 *
 * A pull that an update waits for has a lower limit: the updates of all keys wait with it.
 *
 * Pure, one thread; times are of one monotonic clock.
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

enum pull_wish { PULL_UNWANTED, PULL_FOR_NEWS, PULL_FOR_UPDATE }; /* in rising order of haste */

/* Zero-initialised it is ready. */
struct pull_pace {
	enum pull_wish wanted;   /* and not begun */
	bool is_under_way;
	unsigned pause_ms;       /* after the end of the last one, 0: none */
	uint64_t ended_ms;       /* the last one */
};

void pull_pace_want(struct pull_pace *p, enum pull_wish wish);

/* Milliseconds until the pull that is wanted may begin; UINT64_MAX: none is wanted, or one is under way. */
uint64_t pull_pace_wait(const struct pull_pace *p, uint64_t now_ms);

/* Is one to begin now?  Then it is under way. */
bool pull_pace_begin(struct pull_pace *p, uint64_t now_ms);

/* The one under way has come to its end. */
void pull_pace_end(struct pull_pace *p, bool has_brought, uint64_t now_ms);

/* A new git process pulls as its first deed, whatever was wanted before. */
void pull_pace_restart(struct pull_pace *p);
