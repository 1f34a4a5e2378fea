#include "acme/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
dates_of_rfc_3339_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t s;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2024-02-29T12:34:56Z", 1709210096 },
		{ "2000-03-01T00:00:00Z", 951868800 },
		{ "2021-01-03T00:00:00.123456789Z", 1609632000 },
		{ "2026-09-20t12:00:00z", 1789905600 },
		{ "2026-09-20 14:00:00+02:00", 1789905600 },
		{ "2026-09-20T06:30:00-05:30", 1789905600 },
		{ "2100-03-01T00:00:00Z", 4107542400 },
		{ "9999-12-31T23:59:59Z", 253402300799 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t s = 1;
		assert_int_equal(acme_date_rfc3339(rows[i].text, strlen(rows[i].text), &s), OK);
		assert_int_equal(s, rows[i].s);
	}
}

static void
other_texts_are_no_dates(void **state)
{
	static const char *const bad[] = {
		"", "2026", "2026-09-20", "2026-09-20T12:00:00", "2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z", "2026-09-20T24:00:00Z",
		"2026-09-20T12:60:00Z", "2026-09-20T12:00:00.Z", "2026-09-20T12:00:00Zx", "2026-09-20T12:00:00+2:00", "2026-00-01T00:00:00Z",
		"2026-09-20T12:00:00+24:00",
	};
	uint64_t s = 77;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(acme_date_rfc3339(bad[i], strlen(bad[i]), &s), E_FORMAT);
	}
	assert_int_equal(acme_date_rfc3339("1969-12-31T23:59:59Z", 20, &s), E_RANGE);
	assert_int_equal(acme_date_rfc3339("1970-01-01T00:00:00+01:00", 25, &s), E_RANGE);
	assert_int_equal(s, 77);
}

static void
dates_of_http_are_read(void **state)
{
	static const char *const bad[] = { "", "Sun, 06 Nov 1994", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
		                           "Sun, 06 Nov 1994 08:49:37 CET", "Xxx, 06 Nov 1994 08:49:37 GMT" };
	static const char good[] = "Sun, 06 Nov 1994 08:49:37 GMT"; /* RFC 9110 5.6.7 */
	uint64_t s = 0;
	(void)state;
	assert_int_equal(acme_date_http(good, sizeof good - 1, &s), OK);
	assert_int_equal(s, 784111777);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(acme_date_http(bad[i], strlen(bad[i]), &s), E_FORMAT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_of_rfc_3339_are_read),
		cmocka_unit_test(other_texts_are_no_dates),
		cmocka_unit_test(dates_of_http_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
