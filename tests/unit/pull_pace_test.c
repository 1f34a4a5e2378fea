#include "auth/pull_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "auth/notify_repeats.h"

enum { BEGIN_MS = 1000000, PULL_MS = 3 };

static void
what_is_wanted_begins_at_once(void **state)
{
	(void)state;
	struct pull_pace p = { 0 };
	assert_false(pull_pace_begin(&p, BEGIN_MS));
	assert_true(pull_pace_wait(&p, BEGIN_MS) == UINT64_MAX);
	pull_pace_want(&p, PULL_FOR_NEWS);
	assert_int_equal(pull_pace_wait(&p, BEGIN_MS), 0);
	assert_true(pull_pace_begin(&p, BEGIN_MS));
	assert_true(p.is_under_way);
}

static void
of_many_that_want_one_while_one_is_under_way_one_follows(void **state)
{
	(void)state;
	struct pull_pace p = { 0 };
	pull_pace_want(&p, PULL_FOR_NEWS);
	assert_true(pull_pace_begin(&p, BEGIN_MS));
	for (int i = 0; i < 100; i++) {
		pull_pace_want(&p, PULL_FOR_NEWS);
		assert_false(pull_pace_begin(&p, BEGIN_MS + 1));
		assert_true(pull_pace_wait(&p, BEGIN_MS + 1) == UINT64_MAX);
	}
	pull_pace_end(&p, true, BEGIN_MS + 2);
	assert_true(pull_pace_begin(&p, BEGIN_MS + 2));
	pull_pace_end(&p, true, BEGIN_MS + 3);
	assert_false(pull_pace_begin(&p, BEGIN_MS + 3));
}

/* Somebody who wants one all the time: how many begin in a minute, when each brings something, or nothing? */
static unsigned
begun_in_a_minute(struct pull_pace *p, enum pull_wish wish, bool has_brought)
{
	unsigned n = 0;
	for (uint64_t now_ms = BEGIN_MS; now_ms < BEGIN_MS + 60000; now_ms++) {
		pull_pace_want(p, wish);
		if (p->is_under_way && now_ms % PULL_MS == 0) {
			pull_pace_end(p, has_brought, now_ms);
		}
		n += pull_pace_begin(p, now_ms);
	}
	return n;
}

static void
the_pause_grows_while_nothing_comes(void **state)
{
	(void)state;
	struct pull_pace idle = { 0 }, busy = { 0 }, updates = { 0 };
	assert_in_range(begun_in_a_minute(&idle, PULL_FOR_NEWS, false), 60000 / PULL_PAUSE_MAX_MS, 60000 / PULL_PAUSE_MAX_MS + 6);
	assert_in_range(begun_in_a_minute(&updates, PULL_FOR_UPDATE, false), 280, 60000 / PULL_PAUSE_UPDATE_MAX_MS + 6);
	assert_in_range(begun_in_a_minute(&busy, PULL_FOR_NEWS, true), 60000 / PULL_MS - 10, 60000 / PULL_MS + 1);
}

static void
what_brings_something_and_a_calm_end_the_pause(void **state)
{
	(void)state;
	struct pull_pace p = { 0 };
	uint64_t now_ms = BEGIN_MS;
	for (int i = 0; i < 20; i++) {
		pull_pace_want(&p, PULL_FOR_NEWS);
		now_ms += PULL_PAUSE_MAX_MS;
		assert_true(pull_pace_begin(&p, now_ms));
		pull_pace_end(&p, false, now_ms);
	}
	pull_pace_want(&p, PULL_FOR_NEWS);
	assert_int_equal(pull_pace_wait(&p, now_ms), PULL_PAUSE_MAX_MS);
	pull_pace_want(&p, PULL_FOR_UPDATE);
	assert_int_equal(pull_pace_wait(&p, now_ms), PULL_PAUSE_UPDATE_MAX_MS);
	pull_pace_want(&p, PULL_FOR_NEWS); /* the haste of the update remains */
	assert_int_equal(pull_pace_wait(&p, now_ms + 1), PULL_PAUSE_UPDATE_MAX_MS - 1);
	struct pull_pace calm = p;
	assert_true(pull_pace_begin(&p, now_ms + PULL_PAUSE_UPDATE_MAX_MS));
	pull_pace_end(&p, true, now_ms + 300);
	pull_pace_want(&p, PULL_FOR_NEWS);
	assert_int_equal(pull_pace_wait(&p, now_ms + 300), 0);

	assert_true(pull_pace_begin(&calm, now_ms + PULL_CALM_MS));
	pull_pace_end(&calm, false, now_ms + PULL_CALM_MS);
	pull_pace_want(&calm, PULL_FOR_NEWS);
	assert_int_equal(pull_pace_wait(&calm, now_ms + PULL_CALM_MS), PULL_PAUSE_MIN_MS);
}

static void
a_new_git_process_is_pulling(void **state)
{
	(void)state;
	struct pull_pace p = { 0 };
	pull_pace_want(&p, PULL_FOR_NEWS);
	pull_pace_restart(&p);
	assert_true(p.is_under_way);
	pull_pace_end(&p, true, BEGIN_MS);
	assert_false(pull_pace_begin(&p, BEGIN_MS));
}

static void
a_notify_is_new_once(void **state)
{
	(void)state;
	static struct notify_repeats r;
	uint8_t mac[TSIG_MAC_PART] = { 0 };
	for (unsigned i = 0; i < NOTIFY_REPEATS_KEPT; i++) {
		mac[0] = (uint8_t)i;
		assert_false(notify_repeats_take(&r, mac));
		assert_true(notify_repeats_take(&r, mac));
	}
	mac[0] = 0;
	assert_true(notify_repeats_take(&r, mac));
	mac[1] = 1;
	assert_false(notify_repeats_take(&r, mac)); /* in the place of the oldest */
	mac[1] = 0;
	assert_false(notify_repeats_take(&r, mac));
	mac[0] = 2;
	assert_true(notify_repeats_take(&r, mac));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wanted_begins_at_once),
		cmocka_unit_test(of_many_that_want_one_while_one_is_under_way_one_follows),
		cmocka_unit_test(the_pause_grows_while_nothing_comes),
		cmocka_unit_test(what_brings_something_and_a_calm_end_the_pause),
		cmocka_unit_test(a_new_git_process_is_pulling),
		cmocka_unit_test(a_notify_is_new_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
