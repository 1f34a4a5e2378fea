#include "dns/lex.h"

#include <string.h>

#include "dns/wire.h"

/* The meaning of an octet outside quotes.  All except WORD end a word. */
enum octet_class {
	WORD = 0,
	SPACE,
	NEWLINE,
	COMMENT,
	OPEN,
	CLOSE,
	QUOTE,
	ESCAPE,
	NUL,
	RETURN, /* white space, or the end of a line */
};

static const uint8_t class_of[256] = {
	['\0'] = NUL, [' '] = SPACE, ['\t'] = SPACE, ['\r'] = RETURN, ['\n'] = NEWLINE,
	[';'] = COMMENT, ['('] = OPEN, [')'] = CLOSE, ['"'] = QUOTE, ['\\'] = ESCAPE,
};

static inline enum octet_class
class_at(const char *p)
{
	return class_of[(uint8_t)*p];
}

/* Skips white space.  A CR is examined only after other white space has ended, since nearly all texts have none. */
static inline const char *
skip_spaces(const char *p, const char *end)
{
	for (;;) {
		while (p < end && class_at(p) == SPACE) {
			p++;
		}
		if (p == end || class_at(p) != RETURN || lex_is_line_end(p, end)) {
			return p;
		}
		p++;
	}
}

const char *
lex_line_end(const char *p, const char *end)
{
	while (p < end && !lex_is_line_end(p, end)) {
		p++;
	}
	return p;
}

/* The end of the comment at `p`. */
static const char *
comment_end(const struct lex *lx, const char *p)
{
	if (!lx->has_lf) {
		return lex_line_end(p, lx->end);
	}
	const char *newline = memchr(p, '\n', (size_t)(lx->end - p));
	return newline != NULL ? newline : lx->end;
}

/* A new logical line begins at `p`, which is on line lx->line. */
static inline void
begin_record(struct lex *lx, const char *p)
{
	lx->record_at = p;
	lx->record_line = lx->line;
	lx->at_line_start = true;
}

void
lex_init(struct lex *lx, const char *text, size_t len)
{
	static const char mark[3] = { '\xEF', '\xBB', '\xBF' };
	*lx = (struct lex){ .text = text, .at = text, .end = text + len };
	lx->line_start = text;
	lx->line = 1;
	lx->restarts = LEX_RESTARTS_MAX;
	lx->has_lf = len != 0 && memchr(text, '\n', len) != NULL;
	if (len >= sizeof mark && memcmp(text, mark, sizeof mark) == 0) {
		lx->at += sizeof mark;
	}
	begin_record(lx, lx->at);
}

static inline void
give(struct lex *lx, struct lex_token *out, enum lex_kind kind, const char *s, const char *end)
{
	out->kind = kind;
	out->s = s;
	out->len = (size_t)(end - s);
	out->line = lx->line;
	out->has_escape = false;
	out->what = NULL;
	lx->at = end;
}

/* Gives an error token; reading continues after it. */
static void
give_error(struct lex *lx, struct lex_token *out, const char *s, const char *end, const char *what)
{
	give(lx, out, LEX_ERROR, s, end);
	out->what = what;
	lx->at_line_start = false;
}

static void
give_word(struct lex *lx, struct lex_token *out, const char *s)
{
	const char *p = s, *end = lx->end;
	bool has_escape = false;
	for (;;) {
		while (p < end && class_at(p) == WORD) {
			p++;
		}
		if (p == end || class_at(p) != ESCAPE) {
			break;
		}
		has_escape = true;
		p++;
		/* A line end or octet 0 cannot be escaped: the reader of the word will report that the escape is cut short. */
		if (p < end && *p != '\n' && *p != '\0' && *p != '\r') {
			p++;
		}
	}
	give(lx, out, LEX_WORD, s, p);
	out->has_escape = has_escape;
	lx->at_line_start = false;
}

/* Gives a quoted string; `quote` is the opening quote. */
static void
give_quoted(struct lex *lx, struct lex_token *out, const char *quote)
{
	const char *s = quote + 1, *p = s, *end = lx->end;
	bool has_escape = false;
	while (p < end && *p != '"' && *p != '\n' && *p != '\0' && (*p != '\r' || lx->has_lf)) {
		if (*p == '\\') {
			has_escape = true;
			if (p + 1 < end && p[1] != '\n' && p[1] != '\0' && (p[1] != '\r' || lx->has_lf)) {
				p++;
			}
		}
		p++;
	}
	if (p == end || *p != '"') {
		bool is_nul = p != end && *p == '\0';
		give_error(lx, out, quote, p,
		           is_nul ? "octet 0 in a quoted string" : "quote is not closed on its line");
		return;
	}
	give(lx, out, LEX_QUOTED, s, p);
	out->has_escape = has_escape;
	lx->at = p + 1;
	lx->at_line_start = false;
}

/* Gives the token at the end of the text. */
static void
give_end(struct lex *lx, struct lex_token *out)
{
	if (lx->depth != 0) {
		give_error(lx, out, lx->paren_at, lx->paren_at + 1, "parenthesis is not closed");
		out->line = lx->paren_line;
		lx->at = lx->end;
		lx->depth = 0;
		lx->is_unclosed = true;
		return;
	}
	give(lx, out, lx->at_line_start ? LEX_EOF : LEX_EOL, lx->end, lx->end);
	begin_record(lx, lx->end);
}

/* Takes a newline.  True: it ends a record, and `out` is filled. */
static inline bool
take_newline(struct lex *lx, struct lex_token *out, const char *p)
{
	if (lx->depth == 0 && !lx->at_line_start) {
		give(lx, out, LEX_EOL, p, p);
	}
	lx->at = lx->line_start = p + 1;
	lx->line++;
	if (lx->depth != 0) {
		return false;
	}
	bool ends_record = !lx->at_line_start;
	begin_record(lx, p + 1);
	return ends_record;
}

/* False: too deep. */
static bool
open_paren(struct lex *lx, const char *p)
{
	if (lx->depth == LEX_DEPTH_MAX) {
		return false;
	}
	if (lx->depth++ == 0) {
		lx->paren_line = lx->line;
		lx->paren_at = p;
	}
	return true;
}

void
lex_next(struct lex *lx, struct lex_token *out)
{
	const char *end = lx->end;
	for (;;) {
		const char *from = lx->at, *p = skip_spaces(from, end);
		if (p == end) {
			give_end(lx, out);
			return;
		}
		enum octet_class class = class_at(p);
		if (p != from && lx->at_line_start && from == lx->record_at && class != NEWLINE &&
		    class != RETURN && class != COMMENT) {
			give(lx, out, LEX_BLANK, from, p);
			lx->at_line_start = false;
			return;
		}
		switch (class) {
		case WORD:
		case ESCAPE:
			give_word(lx, out, p);
			return;
		case QUOTE:
			give_quoted(lx, out, p);
			return;
		case NEWLINE:
		case RETURN:
			if (take_newline(lx, out, p)) {
				return;
			}
			break;
		case COMMENT:
			lx->at = comment_end(lx, p);
			break;
		case OPEN:
			if (!open_paren(lx, p)) {
				give_error(lx, out, p, p + 1, "parentheses are nested too deeply");
				return;
			}
			lx->at = p + 1;
			break;
		case CLOSE:
			if (lx->depth == 0) {
				give_error(lx, out, p, p + 1, "parenthesis was not opened");
				return;
			}
			lx->depth--;
			lx->at = p + 1;
			break;
		case NUL:
			give_error(lx, out, p, p + 1, "octet 0 in the text");
			return;
		case SPACE:
			break; /* not reached, since spaces were skipped */
		}
	}
}

/* Goes back to an unclosed parenthesis, and on to the next physical line whose first octet could begin an owner. */
static void
restart_after_paren(struct lex *lx)
{
	const char *p = lx->paren_at, *end = lx->end;
	lx->line = lx->paren_line;
	for (;;) {
		p = lex_line_end(p, end);
		if (p == end) {
			break;
		}
		p++;
		lx->line++;
		lx->line_start = p;
		if (p < end && (class_at(p) == WORD || class_at(p) == ESCAPE)) {
			break;
		}
	}
	lx->at = p;
	begin_record(lx, p);
}

void
lex_skip_line(struct lex *lx)
{
	struct lex_token t;
	while (!lx->at_line_start) {
		if (lx->is_unclosed && lx->restarts != 0) {
			lx->is_unclosed = false;
			lx->restarts--;
			restart_after_paren(lx);
		} else {
			lex_next(lx, &t);
		}
	}
}

/* Where people see a token begin: a quoted string begins at its quote. */
static const char *
visible_start(const struct lex_token *t)
{
	return t->kind == LEX_QUOTED ? t->s - 1 : t->s;
}

static const char *
physical_line_start(const struct lex *lx, const struct lex_token *t)
{
	const char *p = visible_start(t);
	while (p > lx->text && !lex_is_line_end(p - 1, lx->end)) {
		p--;
	}
	return p;
}

uint32_t
lex_column(const struct lex *lx, const struct lex_token *t)
{
	size_t before = (size_t)(visible_start(t) - physical_line_start(lx, t));
	return before < UINT32_MAX ? (uint32_t)before + 1 : UINT32_MAX;
}

void
lex_source_line(const struct lex *lx, const struct lex_token *t, const char **line, size_t *len)
{
	const char *start = physical_line_start(lx, t);
	const char *end = lex_line_end(t->s, lx->end);
	if (end > start && end[-1] == '\r') {
		end--;
	}
	*line = start;
	*len = (size_t)(end - start);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads the octet of the escape at *at (text[*at] is the backslash); *at moves to after it. */
static err_t
take_escape(const char *text, size_t len, size_t *at, uint8_t *out)
{
	size_t i = *at + 1;
	if (i >= len) {
		return E_FORMAT;
	}
	if (!is_digit(text[i])) {
		*out = (uint8_t)text[i];
		*at = i + 1;
		return OK;
	}
	if (i + 2 >= len || !is_digit(text[i + 1]) || !is_digit(text[i + 2])) {
		return E_FORMAT;
	}
	int v = (text[i] - '0') * 100 + (text[i + 1] - '0') * 10 + (text[i + 2] - '0');
	if (v > 255) {
		return E_RANGE;
	}
	*out = (uint8_t)v;
	*at = i + 3;
	return OK;
}

err_t
lex_string(const struct lex_token *t, uint8_t *out, size_t cap, size_t *out_n)
{
	size_t n = 0;
	if (!t->has_escape) {
		if (t->len > cap) {
			return E_FULL;
		}
		if (t->len != 0) {
			memcpy(out, t->s, t->len);
		}
		*out_n = t->len;
		return OK;
	}
	for (size_t i = 0; i < t->len;) {
		uint8_t octet = (uint8_t)t->s[i];
		if (octet == '\\') {
			TRY(take_escape(t->s, t->len, &i, &octet));
		} else {
			i++;
		}
		if (n == cap) {
			return E_FULL;
		}
		out[n++] = octet;
	}
	*out_n = n;
	return OK;
}

err_t
lex_number(const struct lex_token *t, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	bool is_over = false;
	if (t->len == 0) {
		return E_FORMAT;
	}
	for (size_t i = 0; i < t->len; i++) {
		if (!is_digit(t->s[i])) {
			return E_FORMAT;
		}
		uint64_t digit = (uint64_t)(t->s[i] - '0');
		is_over = is_over || v > (max - digit) / 10 || digit > max;
		v = is_over ? 0 : v * 10 + digit;
	}
	if (is_over) {
		return E_RANGE;
	}
	*out = v;
	return OK;
}

/* Seconds in a unit; 0 when there is no such unit. */
static uint32_t
unit_seconds(char c)
{
	switch (c | 0x20) {
	case 'w':
		return 7 * 24 * 3600;
	case 'd':
		return 24 * 3600;
	case 'h':
		return 3600;
	case 'm':
		return 60;
	case 's':
		return 1;
	default:
		return 0;
	}
}

err_t
lex_period(const struct lex_token *t, uint32_t *out)
{
	uint64_t sum = 0;
	bool is_over = false;
	if (t->len == 0) {
		return E_FORMAT;
	}
	for (size_t i = 0; i < t->len;) {
		uint64_t v = 0;
		size_t digits = i;
		for (; i < t->len && is_digit(t->s[i]); i++) {
			v = v * 10 + (uint64_t)(t->s[i] - '0');
			is_over = is_over || v > UINT32_MAX;
			v = is_over ? 0 : v;
		}
		uint64_t unit = 1;
		if (i == digits) {
			return E_FORMAT;
		}
		if (i < t->len) {
			unit = unit_seconds(t->s[i++]);
		} else if (digits != 0) {
			return E_FORMAT; /* "1h30": the 30 has no unit */
		}
		if (unit == 0) {
			return E_FORMAT;
		}
		sum += v * unit;
		is_over = is_over || sum > UINT32_MAX;
		sum = is_over ? 0 : sum;
	}
	if (is_over) {
		return E_RANGE;
	}
	*out = (uint32_t)sum;
	return OK;
}

err_t
lex_ttl(const struct lex_token *t, uint32_t *out)
{
	uint32_t v = 0;
	TRY(lex_period(t, &v));
	if (v > DNS_TTL_MAX) {
		return E_RANGE;
	}
	*out = v;
	return OK;
}
