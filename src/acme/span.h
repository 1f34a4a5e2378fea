/* acme/span.h -- a part of a text, borrowed: for the sources of src/acme that take texts of others apart. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct span {
	const char *s;
	size_t len;
};

/* True for one of the characters of `blanks`; the NUL at their end is none. */
static inline bool
span_is_blank(char c, const char *blanks)
{
	return memchr(blanks, c, strlen(blanks)) != NULL;
}

static inline struct span
span_past_blanks(struct span t, const char *blanks)
{
	while (t.len > 0 && span_is_blank(t.s[0], blanks)) {
		t.s++, t.len--;
	}
	return t;
}

static inline struct span
span_trim(struct span t, const char *blanks)
{
	t = span_past_blanks(t, blanks);
	while (t.len > 0 && span_is_blank(t.s[t.len - 1], blanks)) {
		t.len--;
	}
	return t;
}

static inline bool
span_is(struct span t, const char *text)
{
	return t.len == strlen(text) && memcmp(t.s, text, t.len) == 0;
}

static inline bool
span_is_caseless(struct span t, const char *text)
{
	return t.len == strlen(text) && strncasecmp(t.s, text, t.len) == 0;
}
