#include "auth/ignore.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* A pattern is a row of elements, each of which takes one octet of a name; a star is a loop at the place between two elements.
 * A bit for each place says whether it can be reached after the octets read so far.  So a name takes one step for each octet,
 * however many stars there are. */
struct pattern {
	bool is_negated;
	size_t n, words;  /* number of elements; number of words of 64 places */
	uint64_t *loops;  /* owned: places with a star */
	uint64_t *takes;  /* owned: for each of 256 octets, the elements that take it */
};

enum { OCTETS = 256, WORD_BITS = 64, WORDS_MAX = IGNORE_OCTETS_MAX / WORD_BITS + 1 };

struct ignore {
	struct pattern *list;
	size_t n;
};

/* ---- one pattern against one name ---- */

/* *has: the octet is in the class; ASCII only, whatever the locale.  False: there is no class of this name. */
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

/* A set in brackets, while it is read. */
struct set {
	const char *at, *end; /* the rest of the pattern */
	bool is_bad, has;
};

/* Reads one member of the set, with or without a backslash. */
static uint8_t
take_octet(struct set *s)
{
	if (*s->at == '\\') {
		s->at++;
	}
	s->is_bad |= s->at >= s->end;
	return s->is_bad ? 0 : (uint8_t)*s->at++;
}

/* Reads a class such as "[:alpha:]".  False: it is not one, and its bracket is an ordinary member. */
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

/* Matches a set, from after its "["; moves to after its "]". */
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

/* Matches one element of the pattern, not a star, against one octet; moves *at to after the element. */
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

static void
set_bit(uint64_t *words, size_t i)
{
	words[i / WORD_BITS] |= (uint64_t)1 << i % WORD_BITS;
}

/* Reads the elements and returns their number; `takes` (NULL: not wanted) gets the elements that take the octet `c`.  Names have
 * no "/", so two stars are the same as one. */
static size_t
read_elements(const char *at, const char *end, uint8_t c, struct pattern *p, uint64_t *takes, bool *is_bad)
{
	size_t n = 0;
	while (at < end && !*is_bad) {
		if (*at == '*') {
			at++;
			if (takes != NULL) {
				set_bit(p->loops, n);
			}
			continue;
		}
		if (match_one(&at, end, c, is_bad) && takes != NULL) {
			set_bit(takes, n);
		}
		n++;
	}
	return n;
}

/* E_FORMAT: the pattern matches nothing.  E_NOMEM. */
static err_t
compile(const char *s, size_t len, struct pattern *p)
{
	bool is_bad = false;
	p->n = read_elements(s, s + len, 0, p, NULL, &is_bad);
	if (is_bad) {
		return E_FORMAT;
	}
	p->words = p->n / WORD_BITS + 1;
	p->loops = try_alloc(p->words * sizeof *p->loops);
	p->takes = try_alloc(OCTETS * p->words * sizeof *p->takes);
	if (p->loops == NULL || p->takes == NULL) {
		free(p->loops);
		free(p->takes);
		return E_NOMEM;
	}
	for (size_t c = 0; c < OCTETS; c++) {
		(void)read_elements(s, s + len, (uint8_t)c, p, p->takes + c * p->words, &is_bad);
	}
	return OK;
}

/* Moves from the places in `at` to those that can be reached by one more octet.  False: there are none. */
static bool
step(const struct pattern *p, uint8_t c, uint64_t *at)
{
	const uint64_t *takes = p->takes + c * p->words;
	uint64_t carry = 0, any = 0;
	for (size_t i = 0; i < p->words; i++) {
		uint64_t moved = at[i] & takes[i];
		at[i] = moved << 1 | carry | (at[i] & p->loops[i]);
		carry = moved >> (WORD_BITS - 1);
		any |= at[i];
	}
	return any != 0;
}

static bool
match(const struct pattern *p, const char *name)
{
	uint64_t at[WORDS_MAX];
	memset(at, 0, p->words * sizeof *at);
	set_bit(at, 0);
	for (; *name != '\0'; name++) {
		if (!step(p, (uint8_t)*name, at)) {
			return false;
		}
	}
	return (at[p->n / WORD_BITS] >> p->n % WORD_BITS & 1) != 0;
}

/* ---- the file ---- */

/* Ignores blanks at the end, unless a backslash is before them. */
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

/* Cuts a line down to the part that is compared with names in the root directory.  False: it can match none of them. */
static bool
cut_pattern(const char **at, size_t *at_len, bool *is_negated)
{
	const char *s = *at;
	size_t len = without_blanks(s, *at_len);
	*is_negated = len != 0 && s[0] == '!';
	s += *is_negated;
	len -= *is_negated;
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
	*at = s;
	*at_len = len;
	return true;
}

static err_t
add_line(struct ignore *ig, const char *s, size_t len)
{
	struct pattern p = { 0 };
	if (len == 0 || s[0] == '#' || !cut_pattern(&s, &len, &p.is_negated)) {
		return OK;
	}
	if (ig->n == IGNORE_PATTERNS_MAX) {
		return E_LIMIT;
	}
	err_t err = compile(s, len, &p);
	if (err == OK) {
		ig->list[ig->n++] = p;
	}
	return err == E_NOMEM ? err : OK;
}

static err_t
read_lines(struct ignore *ig, const char *text, size_t len)
{
	const char *at = text, *end = at + len;
	if (len >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) {
		at += 3; /* skips a byte order mark */
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
	struct ignore *ig = try_alloc(sizeof *ig);
	if (ig == NULL) {
		return E_NOMEM;
	}
	ig->list = try_alloc(IGNORE_PATTERNS_MAX * sizeof *ig->list);
	err_t err = ig->list == NULL ? E_NOMEM : read_lines(ig, text, len != 0 ? strnlen(text, len) : 0);
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
		for (size_t i = 0; i < (*ig)->n; i++) {
			free((*ig)->list[i].loops);
			free((*ig)->list[i].takes);
		}
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
		if (match(p, name)) {
			return p->is_negated ? IGNORE_NO : IGNORE_YES;
		}
	}
	return IGNORE_NOT_SAID;
}
