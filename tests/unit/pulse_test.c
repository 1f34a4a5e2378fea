/* Who beats, who does not, and who was only not looked at. */
#include "ops/pulse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
test_beating(void **state)
{
	struct pulse p = { 0 };
	struct pulse_watch w = { 0 };
	(void)state;
	for (uint64_t ms = 1000; ms < 60000; ms += PULSE_PERIOD_MS) {
		pulse_beat(&p);
		assert_int_equal(pulse_silence_ms(&w, &p, ms), 0);
	}
}

static void
test_silent(void **state)
{
	struct pulse p = { .beats = UINT32_MAX };
	struct pulse_watch w = { 0 };
	(void)state;
	assert_int_equal(pulse_silence_ms(&w, &p, 5000), 0);
	assert_int_equal(pulse_silence_ms(&w, &p, 6000), 1000);
	assert_int_equal(pulse_silence_ms(&w, &p, 7500), 2500);
	pulse_beat(&p); /* wraps */
	assert_int_equal(pulse_silence_ms(&w, &p, 8000), 0);
	assert_int_equal(pulse_silence_ms(&w, &p, 9000), 1000);
}

/* From the first look on: it may never have beaten at all. */
static void
test_never_begun(void **state)
{
	struct pulse p = { 0 };
	struct pulse_watch w = { 0 };
	(void)state;
	assert_int_equal(pulse_silence_ms(&w, &p, 1000), 0);
	assert_int_equal(pulse_silence_ms(&w, &p, 2000), 1000);
}

static void
test_nobody_looked(void **state)
{
	struct pulse p = { 0 };
	struct pulse_watch w = { 0 };
	(void)state;
	assert_int_equal(pulse_silence_ms(&w, &p, 1000), 0);
	assert_int_equal(pulse_silence_ms(&w, &p, 3600000), 2 * PULSE_PERIOD_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beating),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_never_begun),
		cmocka_unit_test(test_nobody_looked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
