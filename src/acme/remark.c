#include "acme/remark.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/cur.h"

enum { STRING_MAX = 255, DAY_S = 86400 };

static const uint64_t LAST_S = 253402300799; /* 9999-12-31T23:59:59Z */

/* ---- time ---- */

void
remark_print_time(uint64_t at_s, char out[REMARK_TIME_TEXT_MAX])
{
	at_s = at_s < LAST_S ? at_s : LAST_S;
	const struct calendar_date d = calendar_date_of((int64_t)(at_s / DAY_S));
	unsigned s = (unsigned)(at_s % DAY_S);
	(void)snprintf(out, REMARK_TIME_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ", d.year % 10000, d.month % 100, d.day % 100,
	               s / 3600 % 100, s / 60 % 60, s % 60);
}

/* The time is right when it is what its number prints as. */
static bool
read_time(const char *text, uint64_t *out)
{
	char again[REMARK_TIME_TEXT_MAX];
	struct calendar_date d;
	unsigned hour, minute, second;
	if (strlen(text) != 20 || sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2uZ", &d.year, &d.month, &d.day, &hour, &minute, &second) != 6 ||
	    d.year < 1970 || d.month < 1 || d.month > 12 || d.day < 1) {
		return false;
	}
	*out = (uint64_t)calendar_days(d.year, d.month, d.day) * DAY_S + hour * 3600 + minute * 60 + second;
	remark_print_time(*out, again);
	return strcmp(text, again) == 0;
}

/* ---- writing ---- */

static void
put_string(struct buf *b, const char *text, size_t len)
{
	buf_u8(b, (uint8_t)len);
	buf_put(b, text, len);
}

static void
put_word(struct buf *b, const char *text)
{
	size_t len = strlen(text);
	put_string(b, text, len < STRING_MAX ? len : STRING_MAX);
}

static void
put_time(struct buf *b, const char *before, uint64_t at_s)
{
	char text[16 + REMARK_TIME_TEXT_MAX], time[REMARK_TIME_TEXT_MAX];
	remark_print_time(at_s, time);
	(void)snprintf(text, sizeof text, "%.15s%s", before, time);
	put_word(b, text);
}

static void
put_reason(struct buf *b, const char *reason)
{
	size_t left = strnlen(reason, REMARK_REASON_MAX);
	do {
		size_t n = left < STRING_MAX ? left : STRING_MAX;
		put_string(b, reason, n);
		reason += n;
		left -= n;
	} while (left != 0);
}

static void
put_place(const struct remark *r, struct buf *b)
{
	char owner[NAME_TEXT_MAX];
	name_show(r->owner.oct, owner);
	if (strlen(owner) > STRING_MAX) { /* with so many escapes it is nobody's host */
		buf_fail(b, E_FULL);
	}
	put_time(b, "", r->at_s);
	put_word(b, owner);
	put_word(b, r->value);
}

static void
put_proof(const struct remark *r, struct buf *b)
{
	put_word(b, "proof");
	put_word(b, r->mark);
	put_place(r, b);
}

static void
put_tlsa(const struct remark *r, struct buf *b)
{
	put_word(b, "tlsa");
	put_place(r, b);
}

static void
put_failed(const struct remark *r, struct buf *b)
{
	char text[32];
	put_word(b, "failed");
	put_time(b, "", r->at_s);
	(void)snprintf(text, sizeof text, "tries %u", r->tries < REMARK_TRIES_MAX ? r->tries : REMARK_TRIES_MAX);
	put_word(b, text);
	put_time(b, "next ", r->next_s);
	(void)snprintf(text, sizeof text, "request %s", r->request);
	put_word(b, text);
	put_reason(b, r->reason);
}

err_t
remark_write(const struct remark *r, struct buf *rdata)
{
	switch (r->kind) {
	case REMARK_PROOF: put_proof(r, rdata); break;
	case REMARK_FAILED: put_failed(r, rdata); break;
	case REMARK_TLSA: put_tlsa(r, rdata); break;
	}
	return rdata->err;
}

/* ---- reading ---- */

/* The next character-string, as text.  False: there is none, or it has octets that are no printable ASCII. */
static bool
next_word(struct cur *c, char out[STRING_MAX + 1])
{
	size_t n = cur_u8(c);
	const uint8_t *s = cur_take(c, n);
	if (s == NULL) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (s[i] < 0x20 || s[i] > 0x7E) {
			return false;
		}
	}
	memcpy(out, s, n);
	out[n] = '\0';
	return true;
}

/* The next word, if it begins with `before`; what follows fits `cap` octets with a NUL. */
static bool
next_after(struct cur *c, const char *before, char *out, size_t cap)
{
	char word[STRING_MAX + 1];
	size_t skip = strlen(before);
	if (!next_word(c, word) || strncmp(word, before, skip) != 0 || strlen(word + skip) >= cap) {
		return false;
	}
	memcpy(out, word + skip, strlen(word + skip) + 1);
	return true;
}

static bool
next_time(struct cur *c, const char *before, uint64_t *out)
{
	char text[REMARK_TIME_TEXT_MAX];
	return next_after(c, before, text, sizeof text) && read_time(text, out);
}

static bool
next_tries(struct cur *c, unsigned *out)
{
	char text[8], *end;
	if (!next_after(c, "tries ", text, sizeof text)) {
		return false;
	}
	unsigned long n = strtoul(text, &end, 10);
	*out = (unsigned)n;
	return *end == '\0' && text[0] >= '0' && text[0] <= '9' && n <= REMARK_TRIES_MAX;
}

static bool
read_reason(struct cur *c, struct remark *r)
{
	char word[STRING_MAX + 1];
	size_t len = 0;
	do {
		if (!next_word(c, word) || len + strlen(word) > REMARK_REASON_MAX) {
			return false;
		}
		memcpy(r->reason + len, word, strlen(word) + 1);
		len += strlen(word);
	} while (cur_left(c) != 0);
	return true;
}

static bool
read_place(struct cur *c, struct remark *r)
{
	char owner[STRING_MAX + 1];
	return next_time(c, "", &r->at_s) && next_word(c, owner) && name_parse(owner, strlen(owner), name_root, &r->owner) == OK &&
	       next_after(c, "", r->value, sizeof r->value) && cur_left(c) == 0;
}

/* RFC 8555 8.4: SHA-256 in base64url.  Whoever may write a remark has other people's records removed with it, but none of another form. */
static bool
is_proof(const char *value)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	return strlen(value) == REMARK_PROOF_LEN && strspn(value, digits) == REMARK_PROOF_LEN;
}

static bool
read_proof(struct cur *c, struct remark *r)
{
	r->kind = REMARK_PROOF;
	return next_after(c, "", r->mark, sizeof r->mark) && read_place(c, r) && is_proof(r->value);
}

static bool
read_tlsa(struct cur *c, struct remark *r)
{
	r->kind = REMARK_TLSA;
	return read_place(c, r);
}

static bool
read_failed(struct cur *c, struct remark *r)
{
	r->kind = REMARK_FAILED;
	return next_time(c, "", &r->at_s) && next_tries(c, &r->tries) && next_time(c, "next ", &r->next_s) &&
	       next_after(c, "request ", r->request, sizeof r->request) && read_reason(c, r);
}

err_t
remark_read(const uint8_t *rdata, size_t len, struct remark *out)
{
	struct cur c = cur_over(rdata, len);
	char word[STRING_MAX + 1];
	struct remark r = { .at_s = 0 };
	static const struct {
		const char *word;
		bool (*read)(struct cur *c, struct remark *r);
	} kinds[] = { { "proof", read_proof }, { "failed", read_failed }, { "tlsa", read_tlsa } };
	if (!next_word(&c, word)) {
		return E_FORMAT;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(word, kinds[i].word) == 0 && kinds[i].read(&c, &r)) {
			*out = r;
			return OK;
		}
	}
	return E_FORMAT;
}
