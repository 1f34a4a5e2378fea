#include "ops/restarts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
test_pauses_grow(void **state)
{
	static const unsigned want[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct restarts r = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		assert_int_equal(restarts_next(&r, 10), want[i]);
	}
	r.short_lives = 1000000;
	assert_int_equal(restarts_next(&r, RESTART_GOOD_LIFE_S * 1000 - 1), RESTART_MS_MAX);
}

static void
test_a_good_life_begins_anew(void **state)
{
	struct restarts r = { 0 };
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		unsigned ms = restarts_next(&r, i % 5 == 4 ? RESTART_GOOD_LIFE_S * 1000 : 0);
		assert_true(ms >= RESTART_MS_MIN && ms <= 16000);
	}
	assert_int_equal(restarts_next(&r, 86400000), RESTART_MS_MIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses_grow),
		cmocka_unit_test(test_a_good_life_begins_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
