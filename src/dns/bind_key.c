#include "dns/bind_key.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct reading {
	const char *at, *end;
};

struct token {
	const char *s; /* NULL: the end, or a string that does not end */
	size_t len;
	bool is_string;
};

static bool
begins(const struct reading *r, const char *mark)
{
	size_t n = strlen(mark);
	return (size_t)(r->end - r->at) >= n && memcmp(r->at, mark, n) == 0;
}

/* Moves to after the mark, or to the end. */
static void
skip_past(struct reading *r, const char *mark)
{
	while (r->at < r->end && !begins(r, mark)) {
		r->at++;
	}
	r->at += r->at < r->end ? strlen(mark) : 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Skips blanks, and comments of all three kinds. */
static void
skip_blanks(struct reading *r)
{
	while (r->at < r->end) {
		if (is_blank(*r->at)) {
			r->at++;
		} else if (*r->at == '#' || begins(r, "//")) {
			skip_past(r, "\n");
		} else if (begins(r, "/*")) {
			r->at += 2;
			skip_past(r, "*/");
		} else {
			return;
		}
	}
}

static bool
is_mark(char c)
{
	return c == '{' || c == '}' || c == ';';
}

static struct token
next_token(struct reading *r)
{
	skip_blanks(r);
	struct token t = { .s = r->at };
	if (r->at == r->end) {
		return (struct token){ .s = NULL };
	}
	if (*r->at == '"') {
		const char *close = memchr(r->at + 1, '"', (size_t)(r->end - r->at - 1));
		if (close == NULL) {
			return (struct token){ .s = NULL };
		}
		t = (struct token){ .s = r->at + 1, .len = (size_t)(close - r->at - 1), .is_string = true };
		r->at = close + 1;
		return t;
	}
	do {
		r->at++;
	} while (!is_mark(*t.s) && r->at < r->end && !is_blank(*r->at) && !is_mark(*r->at) && *r->at != '"');
	t.len = (size_t)(r->at - t.s);
	return t;
}

static bool
is_word(const struct token *t, const char *word)
{
	return t->s != NULL && !t->is_string && t->len == strlen(word) && strncasecmp(t->s, word, t->len) == 0;
}

/* True for a name, an algorithm or a secret, in quotes or not.  A colon would separate the parts of NAME:ALGORITHM:SECRET. */
static bool
is_value(const struct token *t)
{
	return t->s != NULL && t->len != 0 && (t->is_string || !is_mark(t->s[0])) && memchr(t->s, ':', t->len) == NULL &&
	       memchr(t->s, '\0', t->len) == NULL;
}

static bool
read_body(struct reading *r, struct token *algorithm, struct token *secret)
{
	for (;;) {
		struct token what = next_token(r);
		if (is_word(&what, "}")) {
			return algorithm->s != NULL && secret->s != NULL;
		}
		struct token *to = is_word(&what, "algorithm") ? algorithm : is_word(&what, "secret") ? secret : NULL;
		if (to == NULL || to->s != NULL) {
			return false;
		}
		*to = next_token(r);
		struct token end = next_token(r);
		if (!is_value(to) || !is_word(&end, ";")) {
			return false;
		}
	}
}

err_t
bind_key_read(const char *text, size_t len, char *out, size_t cap)
{
	struct reading r = { .at = text, .end = text + len };
	struct token first = next_token(&r);
	if (!is_word(&first, "key")) {
		return E_NOTFOUND;
	}
	struct token name = next_token(&r), open = next_token(&r), algorithm = { 0 }, secret = { 0 };
	if (!is_value(&name) || !is_word(&open, "{") || !read_body(&r, &algorithm, &secret)) {
		return E_FORMAT;
	}
	struct token end = next_token(&r);
	skip_blanks(&r);
	if ((end.s != NULL && !is_word(&end, ";")) || r.at != r.end) {
		return E_FORMAT;
	}
	int n = snprintf(out, cap, "%.*s:%.*s:%.*s", (int)name.len, name.s, (int)algorithm.len, algorithm.s, (int)secret.len, secret.s);
	return n >= 0 && (size_t)n < cap ? OK : E_FULL;
}
