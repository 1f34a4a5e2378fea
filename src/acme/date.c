#include "acme/date.h"

#include <string.h>
#include <strings.h>

#include "base/calendar.h"

struct moment {
	unsigned year, month, day, hour, minute, second; /* month and day from 1 */
};

static err_t
seconds_since_1970(const struct moment *m, uint64_t *out)
{
	if (m->month < 1 || m->month > 12 || m->day < 1 || m->hour > 23 || m->minute > 59 || m->second > 60 ||
	    m->day > calendar_days_of_month(m->year, m->month)) {
		return E_FORMAT;
	}
	if (m->year < 1970) {
		return E_RANGE;
	}
	*out = (uint64_t)calendar_days(m->year, m->month, m->day) * 86400 + m->hour * 3600 + m->minute * 60 + m->second;
	return OK;
}

/* A text that is read from its beginning; the first failure is kept. */
struct reading {
	const char *at, *end;
	err_t err;
};

static unsigned
read_number(struct reading *r, size_t digits)
{
	unsigned v = 0;
	for (; digits > 0 && r->err == OK; digits--) {
		if (r->at == r->end || *r->at < '0' || *r->at > '9') {
			r->err = E_FORMAT;
			return 0;
		}
		v = v * 10 + (unsigned)(*r->at++ - '0');
	}
	return v;
}

static void
read_text(struct reading *r, const char *text)
{
	size_t n = strlen(text);
	if (r->err != OK || (size_t)(r->end - r->at) < n || strncasecmp(r->at, text, n) != 0) {
		r->err = E_FORMAT;
		return;
	}
	r->at += n;
}

/* The index of the text that comes next; all are of one length. */
static unsigned
read_one_of(struct reading *r, const char *const *texts, unsigned n)
{
	size_t len = strlen(texts[0]);
	for (unsigned i = 0; r->err == OK && i < n && (size_t)(r->end - r->at) >= len; i++) {
		if (strncasecmp(r->at, texts[i], len) == 0) {
			r->at += len;
			return i;
		}
	}
	r->err = E_FORMAT;
	return 0;
}

static void
pass_fraction(struct reading *r)
{
	if (r->err != OK || r->at == r->end || *r->at != '.') {
		return;
	}
	r->at++;
	(void)read_number(r, 1);
	while (r->err == OK && r->at < r->end && *r->at >= '0' && *r->at <= '9') {
		r->at++;
	}
}

/* Seconds by which local time is ahead of UTC. */
static int64_t
read_offset(struct reading *r)
{
	if (r->err != OK || r->at == r->end || (*r->at != '+' && *r->at != '-')) {
		read_text(r, "Z");
		return 0;
	}
	bool is_behind = *r->at++ == '-';
	unsigned hours = read_number(r, 2);
	read_text(r, ":");
	unsigned minutes = read_number(r, 2);
	if (hours > 23 || minutes > 59) {
		r->err = E_FORMAT;
	}
	int64_t offset = (int64_t)hours * 3600 + minutes * 60;
	return is_behind ? -offset : offset;
}

static void
read_time(struct reading *r, struct moment *m)
{
	m->hour = read_number(r, 2);
	read_text(r, ":");
	m->minute = read_number(r, 2);
	read_text(r, ":");
	m->second = read_number(r, 2);
}

err_t
acme_date_rfc3339(const char *text, size_t len, uint64_t *out)
{
	struct reading r = { .at = text, .end = text + len };
	struct moment m = { 0 };
	uint64_t s = 0;
	m.year = read_number(&r, 4);
	read_text(&r, "-");
	m.month = read_number(&r, 2);
	read_text(&r, "-");
	m.day = read_number(&r, 2);
	if (r.err == OK && r.at < r.end && *r.at == ' ') {
		r.at++; /* RFC 3339 5.6 lets people read it more easily */
	} else {
		read_text(&r, "T");
	}
	read_time(&r, &m);
	pass_fraction(&r);
	int64_t offset = read_offset(&r);
	if (r.err != OK || r.at != r.end) {
		return E_FORMAT;
	}
	TRY(seconds_since_1970(&m, &s));
	if (offset > 0 && (uint64_t)offset > s) {
		return E_RANGE;
	}
	*out = s - (uint64_t)offset;
	return OK;
}

err_t
acme_date_http(const char *text, size_t len, uint64_t *out)
{
	static const char *const weekdays[] = { "Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, ", "Sun, " };
	static const char *const months[] = { " Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ",
		                              " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec " };
	struct reading r = { .at = text, .end = text + len };
	struct moment m = { 0 };
	(void)read_one_of(&r, weekdays, ARRAY_LEN(weekdays));
	m.day = read_number(&r, 2);
	m.month = read_one_of(&r, months, ARRAY_LEN(months)) + 1;
	m.year = read_number(&r, 4);
	read_text(&r, " ");
	read_time(&r, &m);
	read_text(&r, " GMT");
	if (r.err != OK || r.at != r.end) {
		return E_FORMAT;
	}
	return seconds_since_1970(&m, out);
}
