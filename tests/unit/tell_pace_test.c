/* When a secondary is told of all zones, and how many may want that. */
#include "auth/tell_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "named.h"

static struct tell_pace pace;

static int
begin(void **state)
{
	(void)state;
	memset(&pace, 0, sizeof pace);
	return 0;
}

static struct tell_wish
wish(const char *key, const char *domain, unsigned address, enum tell_way way)
{
	return (struct tell_wish){
		.key = named(key), .domain = named(domain), .way = way,
		.address = { 4, { 10, (uint8_t)(address >> 16), (uint8_t)(address >> 8), (uint8_t)address } },
	};
}

static err_t
want(const char *key, const char *domain, unsigned address, enum tell_way way, uint64_t now_ms)
{
	const struct tell_wish w = wish(key, domain, address, way);
	return tell_pace_want(&pace, &w, now_ms);
}

/* What is carried out at that time: the last octet of its address; -1: nothing. */
static int
next(uint64_t now_ms)
{
	struct tell_wish w;
	bool is_due = tell_pace_is_due(&pace, now_ms);
	assert_int_equal(tell_pace_next(&pace, now_ms, &w), is_due);
	return is_due ? w.address.octets[3] : -1;
}

static void
at_once_and_then_after_a_pause(void **state)
{
	(void)state;
	uint64_t now_ms = 5;
	assert_int_equal(next(now_ms), -1);
	for (uint64_t pause_ms = TELL_PAUSE_MIN_MS; pause_ms <= TELL_PAUSE_MAX_MS; pause_ms *= 2) {
		assert_int_equal(want("k.", ".", 1, TELL_AT_ADDRESS, now_ms), OK);
		assert_int_equal(next(now_ms), 1);
		assert_int_equal(want("K.", ".", 1, TELL_AT_ADDRESS, now_ms), OK); /* however often */
		assert_int_equal(want("k.", ".", 1, TELL_AT_ADDRESS, now_ms + 1), OK);
		assert_int_equal(next(now_ms + pause_ms - 1), -1);
		now_ms += pause_ms;
	}
	assert_int_equal(next(now_ms), 1); /* it was not lost */
	assert_int_equal(next(now_ms), -1);
	assert_int_equal(want("k.", ".", 1, TELL_AT_ADDRESS, now_ms), OK);
	assert_int_equal(next(now_ms + TELL_PAUSE_MAX_MS - 1), -1); /* no pause is longer */
	assert_int_equal(next(now_ms + TELL_PAUSE_MAX_MS), 1);
	assert_int_equal(pace.n, 1);
}

static void
calm_ends_the_pauses(void **state)
{
	(void)state;
	uint64_t now_ms = 5;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(want("k.", ".", 1, TELL_AT_ADDRESS, now_ms), OK);
		now_ms += TELL_PAUSE_MAX_MS;
		assert_int_equal(next(now_ms), 1);
	}
	now_ms += TELL_PAUSE_MAX_MS + TELL_CALM_MS;
	assert_int_equal(want("k.", ".", 1, TELL_AT_ADDRESS, now_ms), OK);
	assert_int_equal(next(now_ms), 1);
	assert_int_equal(want("k.", ".", 1, TELL_AT_ADDRESS, now_ms), OK);
	assert_int_equal(next(now_ms + TELL_PAUSE_MIN_MS), 1);
}

/* Key, domain, address and way make a wish; whose time came first is first. */
static void
wishes_have_pauses_of_their_own(void **state)
{
	(void)state;
	assert_int_equal(want("k.", ".", 1, TELL_AT_ADDRESS, 10), OK);
	assert_int_equal(want("k.", ".", 2, TELL_AT_ADDRESS, 9), OK);
	assert_int_equal(want("l.", ".", 3, TELL_AT_ADDRESS, 11), OK);
	assert_int_equal(want("l.", "a.", 3, TELL_AT_ADDRESS, 12), OK);
	assert_int_equal(want("l.", "a.", 3, TELL_BY_CONNECTION, 13), OK);
	assert_int_equal(pace.n, 5);
	static const int order[] = { 2, 1, 3, 3, 3, -1 };
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		assert_int_equal(next(20), order[i]);
	}
}

static void
a_key_has_its_share(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TELL_WISHES_OF_KEY_MAX; i++) {
		assert_int_equal(want("k.", ".", i, TELL_BY_CONNECTION, 10), OK);
	}
	assert_int_equal(want("k.", ".", 100, TELL_BY_CONNECTION, 10), E_LIMIT);
	assert_int_equal(want("k.", ".", 7, TELL_BY_CONNECTION, 10), OK);
	assert_int_equal(want("l.", ".", 100, TELL_BY_CONNECTION, 10), OK);
	while (next(20) >= 0) {
	}
	assert_int_equal(want("k.", ".", 100, TELL_BY_CONNECTION, 20 + TELL_PAUSE_MIN_MS + TELL_CALM_MS), OK); /* they are forgotten */
}

/* What a forged source can take leaves room for others, with the same key and with other keys. */
static void
sources_that_may_be_forged_have_less(void **state)
{
	(void)state;
	char key[8];
	for (unsigned k = 0; k < TELL_AS_TARGET_MAX / TELL_AS_TARGET_OF_KEY_MAX; k++) {
		snprintf(key, sizeof key, "k%u.", k);
		for (unsigned i = 0; i < TELL_AS_TARGET_OF_KEY_MAX; i++) {
			assert_int_equal(want(key, ".", i, TELL_AS_TARGET, 10), OK);
		}
		assert_int_equal(want(key, ".", 100, TELL_AS_TARGET, 10), E_LIMIT);
		assert_int_equal(want(key, ".", 100, TELL_AT_ADDRESS, 10), OK);
	}
	assert_int_equal(want("other.", ".", 1, TELL_AS_TARGET, 10), E_LIMIT);
	assert_int_equal(want("other.", ".", 1, TELL_BY_CONNECTION, 10), OK);
}

static void
there_is_a_limit(void **state)
{
	(void)state;
	char key[8];
	for (unsigned i = 0; i < TELL_WISHES_MAX; i++) {
		snprintf(key, sizeof key, "k%u.", i / TELL_WISHES_OF_KEY_MAX);
		assert_int_equal(want(key, ".", i, TELL_AT_ADDRESS, 10), OK);
	}
	assert_int_equal(want("other.", ".", 1, TELL_AT_ADDRESS, 10), E_LIMIT);
	assert_int_equal(pace.n, TELL_WISHES_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(at_once_and_then_after_a_pause, begin),
		cmocka_unit_test_setup(calm_ends_the_pauses, begin),
		cmocka_unit_test_setup(wishes_have_pauses_of_their_own, begin),
		cmocka_unit_test_setup(a_key_has_its_share, begin),
		cmocka_unit_test_setup(sources_that_may_be_forged_have_less, begin),
		cmocka_unit_test_setup(there_is_a_limit, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
