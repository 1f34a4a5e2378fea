/* auth/quiet.h -- quiet moments between our pushes, so that pushes by people can succeed.
 *
 * A person pulls, rebases and pushes, which takes some seconds; a push by somebody else meanwhile means that the person must
 * begin again.  Updates without pause cause this again and again, and we do not see it: git refuses the push on the person's
 * side.  So a stretch of our pushes, each less than QUIET_MS after the one before, is interrupted from time to time by a quiet
 * moment of that length:
 *
 *   While people are expected to push, a stretch lasts QUIET_BURST_MS at first; after a quiet moment in which updates waited,
 *   it lasts QUIET_SLICE_MS.  Suppose that a person's attempt takes longer than a slice, and less than half a quiet moment.  If a
 *   slice spoils the first attempt, then the second or the third is completely within the quiet moment.  In the longer first
 *   stretch this holds for attempts that take at least half of it.  Updates that wait meanwhile become one commit, and the moment
 *   ends early when a push by people has come.
 *
 *   While nobody is expected, a stretch lasts QUIET_RARELY_MS: quiet moments take 2.5 % of the time, and nobody is kept out for
 *   longer than this.
 *
 * Each push by people is a reason to expect more for QUIET_EXPECT_MS, and for up to QUIET_EXPECT_MAX_MS if there are many.
 * Updates that come with such pauses between them never wait.
 *
 * Pure, one thread; all times are of one monotonic clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	QUIET_MS = 6000,
	QUIET_BURST_MS = 2000,
	QUIET_SLICE_MS = 250,
	QUIET_RARELY_MS = 240000,
	QUIET_EXPECT_MS = 600000,
	QUIET_EXPECT_MAX_MS = 3600000,
};

/* Ready for use when zeroed. */
struct quiet {
	bool has_pushed, is_held, is_over, is_slice;
	uint64_t pushed_ms;   /* end of our last push */
	uint64_t stretch_ms;  /* start of this stretch */
	uint64_t expect_ms;   /* people are expected to push until this time */
};

/* Milliseconds that waiting updates still have to wait. */
unsigned quiet_wait(struct quiet *q, uint64_t now_ms);

/* quiet_begin(): work on updates begins.  quiet_pushed(): they were pushed. */
void quiet_begin(struct quiet *q, uint64_t now_ms);
void quiet_pushed(struct quiet *q, uint64_t now_ms);

/* A push has come that was not made by a primary. */
void quiet_others_pushed(struct quiet *q, uint64_t now_ms);

bool quiet_is_anybody_expected(const struct quiet *q, uint64_t now_ms);
