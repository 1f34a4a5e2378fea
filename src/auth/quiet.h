/* auth/quiet.h -- quiet moments between our pushes, in which people get theirs through.
 *
 * A person pulls, rebases and pushes, which takes some seconds; whoever pushes meanwhile has him begin anew.  Updates without pause do
 * that again and again, and nothing of it is seen here: git refuses such a push on his side.  So in what is one stretch of pushes, each
 * less than QUIET_MS after the one before, a quiet moment of that length is left from time to time:
 *
 *   While people are seen to push, after the first QUIET_BURST_MS and then after each QUIET_SLICE_MS.  Whose try takes longer than a
 *   slice and less than half a quiet moment is through with the third: when the first ends in a slice, the second or the third is
 *   within the quiet moment.  So it is at the beginning of a stretch for tries of half a burst and more.  What waits meanwhile
 *   goes into one commit, and the moment ends when somebody's push has come.
 *
 *   While nobody is seen, after each QUIET_RARELY_MS: 2.5 % of the time, and nobody who tries is kept out for longer than that.
 *
 * Each push of somebody's is a reason to expect more for QUIET_EXPECT_MS, up to QUIET_EXPECT_MAX_MS when there are many.  Updates that
 * leave such moments by themselves never wait.
 *
 * Pure, one thread; times are of one monotonic clock.
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

/* Zero-initialised it is ready. */
struct quiet {
	bool has_pushed, is_held, is_over, is_slice;
	uint64_t pushed_ms;   /* the last push of ours ended */
	uint64_t stretch_ms;  /* this stretch began */
	uint64_t expect_ms;   /* until then others are expected to push */
};

/* Updates wait: milliseconds until they may be pushed. */
unsigned quiet_wait(struct quiet *q, uint64_t now_ms);

/* They are worked out now, and then pushed. */
void quiet_begin(struct quiet *q, uint64_t now_ms);
void quiet_pushed(struct quiet *q, uint64_t now_ms);

/* Somebody's push has come that no primary made. */
void quiet_others_pushed(struct quiet *q, uint64_t now_ms);

bool quiet_is_anybody_expected(const struct quiet *q, uint64_t now_ms);
