#include "auth/ignore.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct pattern {
	const char *at; /* in the text */
	size_t len;
	bool is_negated;
};

struct ignore {
	char *text;     /* owned */
	struct pattern *list;
	size_t n;
};

/* ---- one pattern against one name ---- */

/* ASCII alone, whatever the locale.  False: there is no such class. */
static bool
ask_class(const char *name, size_t len, uint8_t c, bool *has)
{
	bool is_upper = c >= 'A' && c <= 'Z', is_lower = c >= 'a' && c <= 'z', is_digit = c >= '0' && c <= '9';
	bool is_letter = is_upper || is_lower, is_graph = c > ' ' && c < 0x7F;
	const struct {
		const char *name;
		bool is_member;
	} classes[] = {
		{ "alnum", is_letter || is_digit }, { "alpha", is_letter }, { "blank", c == ' ' || c == '\t' },
		{ "cntrl", c < ' ' || c == 0x7F },
		{ "digit", is_digit }, { "graph", is_graph }, { "lower", is_lower }, { "print", is_graph || c == ' ' },
		{ "punct", is_graph && !is_letter && !is_digit }, { "space", c == ' ' || (c >= '\t' && c <= '\r') }, { "upper", is_upper },
		{ "xdigit", is_digit || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f') },
	};
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (strlen(classes[i].name) == len && memcmp(classes[i].name, name, len) == 0) {
			*has |= classes[i].is_member;
			return true;
		}
	}
	return false;
}

/* A set in brackets, as far as it was read. */
struct set {
	const char *at, *end; /* of the pattern */
	bool is_bad, has;
};

/* One member as it stands, an escape resolved. */
static uint8_t
take_octet(struct set *s)
{
	if (*s->at == '\\') {
		s->at++;
	}
	s->is_bad |= s->at >= s->end;
	return s->is_bad ? 0 : (uint8_t)*s->at++;
}

/* "[:alpha:]"; false: it is none, and its bracket a member like any other. */
static bool
take_class(struct set *s, uint8_t c)
{
	const char *name = s->at + 2, *close;
	if (s->end - s->at < 2 || s->at[0] != '[' || s->at[1] != ':') {
		return false;
	}
	close = memchr(name, ']', (size_t)(s->end - name));
	if (close == NULL) {
		s->is_bad = true;
		return true;
	}
	if (close == name || close[-1] != ':') {
		return false;
	}
	s->is_bad |= !ask_class(name, (size_t)(close - 1 - name), c, &s->has);
	s->at = close + 1;
	return true;
}

/* After its "[".  Moves behind its "]". */
static bool
match_set(const char **at, const char *end, uint8_t c, bool *is_bad)
{
	struct set s = { .at = *at, .end = end };
	bool is_negated = s.at < end && (*s.at == '!' || *s.at == '^'), is_first = true;
	s.at += is_negated;
	while (!s.is_bad && (s.at >= end || *s.at != ']' || is_first)) {
		if (s.at >= end) {
			s.is_bad = true;
			break;
		}
		is_first = false;
		if (take_class(&s, c)) {
			continue;
		}
		uint8_t low = take_octet(&s), high = low;
		if (end - s.at >= 2 && s.at[0] == '-' && s.at[1] != ']') {
			s.at++;
			high = take_octet(&s);
		}
		s.has |= c >= low && c <= high;
	}
	*at = s.at + 1;
	*is_bad = s.is_bad;
	return s.has != is_negated;
}

/* One element of the pattern that is no star, against one octet.  Moves `*at` behind it. */
static bool
match_one(const char **at, const char *end, uint8_t c, bool *is_bad)
{
	char p = *(*at)++;
	switch (p) {
	case '?':
		return true;
	case '[':
		return match_set(at, end, c, is_bad);
	case '\\':
		if (*at == end) {
			*is_bad = true; /* git: a backslash at the end matches nothing */
			return false;
		}
		p = *(*at)++;
		break;
	default:
		break;
	}
	return (uint8_t)p == c;
}

/* Without a "/" in the name one star is as good as two.  When it goes wrong, the last star takes one octet more: what those before it
 * took cannot matter any more. */
static bool
match(const char *p, const char *end, const char *name)
{
	const char *star = NULL, *after_star = NULL;
	bool is_bad = false;
	while (*name != '\0' || p < end) {
		if (p < end && *p == '*') {
			star = ++p;
			after_star = name;
			continue;
		}
		const char *next = p;
		if (*name != '\0' && p < end && match_one(&next, end, (uint8_t)*name, &is_bad)) {
			p = next;
			name++;
		} else if (is_bad || star == NULL || *after_star == '\0') {
			return false;
		} else {
			p = star;
			name = ++after_star;
		}
	}
	return !is_bad;
}

/* ---- the file ---- */

/* Blanks at the end do not count, unless a backslash is before them. */
static size_t
without_blanks(const char *s, size_t len)
{
	size_t kept = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\\') {
			if (++i == len) {
				return len;
			}
			kept = i + 1;
		} else if (s[i] != ' ') {
			kept = i + 1;
		}
	}
	return kept;
}

/* What can match a file in the root directory; false: nothing of it can. */
static bool
read_pattern(const char *s, size_t len, struct pattern *out)
{
	len = without_blanks(s, len);
	out->is_negated = len != 0 && s[0] == '!';
	s += out->is_negated;
	len -= out->is_negated;
	if (len == 0 || s[len - 1] == '/') { /* a directory */
		return false;
	}
	bool is_anchored = memchr(s, '/', len) != NULL;
	if (s[0] == '/') {
		s++;
		len--;
	}
	while (is_anchored && len >= 3 && memcmp(s, "**/", 3) == 0) {
		s += 3;
		len -= 3;
	}
	out->at = s;
	out->len = len;
	return true;
}

static err_t
add_line(struct ignore *ig, const char *s, size_t len)
{
	struct pattern p;
	if (len == 0 || s[0] == '#' || !read_pattern(s, len, &p)) {
		return OK;
	}
	if (ig->n == IGNORE_PATTERNS_MAX) {
		return E_LIMIT;
	}
	ig->list[ig->n++] = p;
	return OK;
}

static err_t
read_lines(struct ignore *ig, size_t len)
{
	const char *at = ig->text, *end = at + len;
	if (len >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) {
		at += 3; /* a byte order mark */
	}
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline != NULL ? newline : end;
		bool is_crlf = newline != NULL && stop > at && stop[-1] == '\r';
		TRY(add_line(ig, at, (size_t)(stop - at) - is_crlf));
		at = stop + 1;
	}
	return OK;
}

err_t
ignore_read(const char *text, size_t len, struct ignore **out)
{
	if (len > IGNORE_OCTETS_MAX) {
		return E_LIMIT;
	}
	struct ignore *ig = xalloc(sizeof *ig);
	ig->text = xstrndup(text, len);
	ig->list = xalloc(IGNORE_PATTERNS_MAX * sizeof *ig->list);
	err_t err = read_lines(ig, strlen(ig->text) < len ? strlen(ig->text) : len);
	if (err != OK) {
		ignore_free(&ig);
		return err;
	}
	*out = ig;
	return OK;
}

void
ignore_free(struct ignore **ig)
{
	if (*ig != NULL) {
		free((*ig)->text);
		free((*ig)->list);
		free(*ig);
		*ig = NULL;
	}
}

enum ignore_verdict
ignore_ask(const struct ignore *ig, const char *name)
{
	for (size_t i = ig != NULL ? ig->n : 0; i != 0; i--) {
		const struct pattern *p = &ig->list[i - 1];
		if (match(p->at, p->at + p->len, name)) {
			return p->is_negated ? IGNORE_TAKE : IGNORE_PASS_OVER;
		}
	}
	return IGNORE_NOT_SAID;
}
