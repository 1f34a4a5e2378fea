/* base/calendar.h -- dates of the Gregorian calendar, as days since 1970-01-01.
 *
 * Months and days count from 1.  Dates are right from the year 1 on; what years are allowed is the caller's to say.
 *
 * Pure.
 */
#pragma once

#include <stdint.h>

struct calendar_date {
	unsigned year, month, day;
};

/* The month must be 1 to 12.  Days past the end of a month go on in the next: callers may see by that whether there is such a date. */
int64_t calendar_days(unsigned year, unsigned month, unsigned day);

/* The date of a number of days that calendar_days() returns. */
struct calendar_date calendar_date_of(int64_t days);

unsigned calendar_days_of_month(unsigned year, unsigned month);
