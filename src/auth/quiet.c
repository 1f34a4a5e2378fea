#include "auth/quiet.h"

bool
quiet_is_anybody_expected(const struct quiet *q, uint64_t now_ms)
{
	return now_ms < q->expect_ms;
}

/* How long we may push before the next quiet moment. */
static uint64_t
stretch_max(const struct quiet *q, uint64_t now_ms)
{
	return !quiet_is_anybody_expected(q, now_ms) ? QUIET_RARELY_MS : q->is_slice ? QUIET_SLICE_MS : QUIET_BURST_MS;
}

/* True when this stretch began after a quiet moment in which updates waited, and nothing was pushed since: pushes may have failed. */
static bool
is_unused_slice(const struct quiet *q)
{
	return q->is_slice && q->pushed_ms <= q->stretch_ms;
}

/* True when there was a quiet moment since the last push. */
static bool
was_quiet(const struct quiet *q, uint64_t now_ms)
{
	return !q->has_pushed || q->is_over || now_ms - q->pushed_ms >= QUIET_MS;
}

unsigned
quiet_wait(struct quiet *q, uint64_t now_ms)
{
	if (was_quiet(q, now_ms) || now_ms - q->stretch_ms < stretch_max(q, now_ms)) {
		return 0;
	}
	q->is_held = true;
	return (unsigned)(q->pushed_ms + QUIET_MS - now_ms);
}

void
quiet_begin(struct quiet *q, uint64_t now_ms)
{
	if (was_quiet(q, now_ms)) {
		q->is_slice = q->is_held || is_unused_slice(q); /* updates had to wait in the quiet moment */
		q->stretch_ms = now_ms;
		q->is_held = false;
		q->is_over = false;
	}
}

void
quiet_pushed(struct quiet *q, uint64_t now_ms)
{
	q->has_pushed = true;
	q->pushed_ms = now_ms;
}

void
quiet_others_pushed(struct quiet *q, uint64_t now_ms)
{
	uint64_t from_ms = q->expect_ms > now_ms ? q->expect_ms : now_ms, most_ms = now_ms + QUIET_EXPECT_MAX_MS;
	q->expect_ms = from_ms + QUIET_EXPECT_MS < most_ms ? from_ms + QUIET_EXPECT_MS : most_ms;
	q->is_over = q->is_held;
}
