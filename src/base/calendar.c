#include "base/calendar.h"

#include <stdbool.h>

/* Years begin in March here, so that a leap day is the last day of a year; DAYS_TO_1970 are between 0000-03-01 and 1970. */
enum { DAYS_TO_1970 = 719468, ERA_YEARS = 400, ERA_DAYS = 146097 };

int64_t
calendar_days(unsigned year, unsigned month, unsigned day)
{
	unsigned y = month <= 2 ? year - 1 : year;
	unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return (int64_t)365 * y + y / 4 - y / 100 + y / 400 + day_of_year - DAYS_TO_1970;
}

struct calendar_date
calendar_date_of(int64_t days)
{
	uint64_t n = (uint64_t)(days + DAYS_TO_1970);
	uint64_t era = n / ERA_DAYS, in_era = n % ERA_DAYS;
	uint64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / (ERA_DAYS - 1)) / 365;
	uint64_t day_of_year = in_era - (365 * y + y / 4 - y / 100);
	uint64_t m = (5 * day_of_year + 2) / 153; /* from March */
	return (struct calendar_date){
		.year = (unsigned)(era * ERA_YEARS + y + (m >= 10)),
		.month = (unsigned)(m < 10 ? m + 3 : m - 9),
		.day = (unsigned)(day_of_year - (153 * m + 2) / 5 + 1),
	};
}

unsigned
calendar_days_of_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && is_leap ? 1u : 0u);
}
