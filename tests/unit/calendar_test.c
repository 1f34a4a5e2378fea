/* Days since 1970 and dates: as the C library has them. */
#include "base/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "base/err.h"

enum { YEAR_FIRST = 1800, YEAR_LAST = 2300, DAY_S = 86400 };

static int64_t
days_of_library(unsigned year, unsigned month, unsigned day)
{
	struct tm tm = { .tm_year = (int)year - 1900, .tm_mon = (int)month - 1, .tm_mday = (int)day };
	return timegm(&tm) / DAY_S;
}

static void
assert_is_date(int64_t days, unsigned year, unsigned month, unsigned day)
{
	struct calendar_date d = calendar_date_of(days);
	assert_int_equal(calendar_days(year, month, day), days);
	assert_int_equal(d.year, year);
	assert_int_equal(d.month, month);
	assert_int_equal(d.day, day);
}

static void
each_day_is_that_of_the_library(void **state)
{
	(void)state;
	int64_t last = days_of_library(YEAR_LAST, 12, 31);
	for (int64_t days = days_of_library(YEAR_FIRST, 1, 1); days <= last; days++) {
		struct tm tm;
		time_t t = (time_t)(days * DAY_S);
		assert_non_null(gmtime_r(&t, &tm));
		assert_is_date(days, (unsigned)tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday);
	}
}

static void
each_month_is_that_of_the_library(void **state)
{
	(void)state;
	for (unsigned year = YEAR_FIRST; year <= YEAR_LAST; year++) {
		for (unsigned month = 1; month <= 12; month++) {
			int64_t first = days_of_library(year, month, 1), next = days_of_library(year, month + 1, 1);
			assert_int_equal(calendar_days(year, month, 1), first);
			assert_int_equal(calendar_days_of_month(year, month), next - first);
		}
	}
}

static void
some_days_are_known(void **state)
{
	static const struct {
		int64_t days;
		unsigned year, month, day;
	} rows[] = {
		{ 0, 1970, 1, 1 }, { -1, 1969, 12, 31 }, { -719162, 1, 1, 1 }, { 24855, 2038, 1, 19 }, { 2932896, 9999, 12, 31 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_is_date(rows[i].days, rows[i].year, rows[i].month, rows[i].day);
	}
}

static void
leap_years_have_a_day_more(void **state)
{
	static const unsigned leap[] = { 4, 1804, 1996, 2000, 2024, 2400, 9996 }, others[] = { 1, 1800, 1900, 2023, 2100, 2200, 2300, 9999 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(leap); i++) {
		assert_int_equal(calendar_days_of_month(leap[i], 2), 29);
		assert_is_date(calendar_days(leap[i], 3, 1) - 1, leap[i], 2, 29);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_int_equal(calendar_days_of_month(others[i], 2), 28);
		assert_is_date(calendar_days(others[i], 3, 1) - 1, others[i], 2, 28);
	}
}

static void
days_past_a_month_go_on_in_the_next(void **state)
{
	(void)state;
	assert_int_equal(calendar_days(2023, 2, 29), calendar_days(2023, 3, 1));
	assert_int_equal(calendar_days(2024, 4, 31), calendar_days(2024, 5, 1));
	assert_int_equal(calendar_days(2024, 12, 99), calendar_days(2025, 3, 9));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_day_is_that_of_the_library),
		cmocka_unit_test(each_month_is_that_of_the_library),
		cmocka_unit_test(some_days_are_known),
		cmocka_unit_test(leap_years_have_a_day_more),
		cmocka_unit_test(days_past_a_month_go_on_in_the_next),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
