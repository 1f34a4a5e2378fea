/* dns/lex.h -- tokens of master-file text (RFC 1035 5.1).
 *
 * The lexer borrows the text.  It handles parentheses, comments, quotes, CRLF, and the position of each token.  It copies
 * nothing: a token points into the text, and still has its escapes, which name_parse() and lex_string() resolve.
 *
 * A logical line ends at a newline outside parentheses, or at the end of the text: so a last line without newline gives its
 * LEX_EOL, too, before LEX_EOF.  Blank lines and comment lines give no token.  LEX_BLANK is given when a line with tokens begins
 * with white space (then the owner is inherited).
 *
 * A quote inside a word ends the word: `alpn="h2"` is the word `alpn=` and the quoted string `h2`. lex_is_joined() tells whether
 * the two touch (RFC 9460 2.1).
 *
 * Errors (a quote not closed at the end of its line, a parenthesis not closed or not opened, octet 0) are LEX_ERROR, with
 * `what`; then lex_skip_line() continues with the next line.
 *
 * A line ends with LF, CRLF (also CR CR LF, which some conversions make), or CR alone.  Comments and quoted strings reach to the
 * LF, as in BIND and NSD; only in a text without any LF they end at a CR.  A byte order mark at the start is skipped.
 *
 * This code is time-critical: loading a million records goes through it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	LEX_DEPTH_MAX = 100,   /* parentheses within parentheses */
	LEX_RESTARTS_MAX = 8,  /* see lex_skip_line() */
};

enum lex_kind { LEX_WORD, LEX_QUOTED, LEX_BLANK, LEX_EOL, LEX_EOF, LEX_ERROR };

struct lex_token {
	enum lex_kind kind;
	const char *s;      /* in the text; a quoted string without its quotes */
	size_t len;
	uint32_t line;      /* from 1 */
	bool has_escape;    /* there is a backslash in it */
	const char *what;   /* LEX_ERROR: static text */
};

struct lex {
	const char *text, *at, *end;  /* borrowed */
	const char *line_start;       /* of the physical line that `at` is on */
	uint32_t line;                /* of the physical line that `at` is on, from 1 */
	uint32_t depth;               /* open parentheses */
	uint32_t paren_line;          /* line of the outermost one */
	uint32_t restarts;            /* restarts left for lex_skip_line() */
	const char *paren_at;         /* the outermost parenthesis, when depth is not 0 */
	const char *record_at;        /* start of the logical line's first physical line that is not blank */
	uint32_t record_line;
	bool at_line_start;           /* no token of the logical line was read yet */
	bool has_lf;                  /* the text has an LF; else comments and quoted strings end at a CR */
	bool is_unclosed;             /* the text ended within parentheses that were opened at paren_at */
};

void lex_init(struct lex *lx, const char *text, size_t len);
void lex_next(struct lex *lx, struct lex_token *out);

/* Moves to the start of the next logical line, after an error in this one, so that its rest is not read as records.  Does
 * nothing if the LEX_EOL of this one was already given.  If a parenthesis is never closed, it continues (LEX_RESTARTS_MAX times
 * in a text) with the next physical line that looks like a record, so that one mistake does not hide all that follows. */
void lex_skip_line(struct lex *lx);

/* True when the octet at `p` ends a line: LF, or a CR that does not belong to CR LF or CR CR LF. */
static inline bool
lex_is_line_end(const char *p, const char *end)
{
	return *p == '\n' ||
	       (*p == '\r' && !(end - p > 1 && p[1] == '\n') && !(end - p > 2 && p[1] == '\r' && p[2] == '\n'));
}

/* The first octet from `p` on that ends a line, or `end`. */
const char *lex_line_end(const char *p, const char *end);

/* True when `t` directly follows `before`. */
static inline bool
lex_is_joined(const struct lex_token *before, const struct lex_token *t)
{
	const char *end = before->s + before->len + (before->kind == LEX_QUOTED);
	return end == t->s - (t->kind == LEX_QUOTED);
}

/* Column (from 1, in octets) of a token on its physical line; for a quoted string, of its quote. */
uint32_t lex_column(const struct lex *lx, const struct lex_token *t);

/* The physical line of a token, without its line end. */
void lex_source_line(const struct lex *lx, const struct lex_token *t, const char **line, size_t *len);

/* Writes the octets of a token, with escapes resolved.  E_FULL: longer than `cap`.  E_FORMAT: an escape is cut short.  E_RANGE:
 * an escape is over \255. */
err_t lex_string(const struct lex_token *t, uint8_t *out, size_t cap, size_t *out_n);

/* Reads an unsigned decimal number.  E_FORMAT: anything else; E_RANGE: over `max`. */
err_t lex_number(const struct lex_token *t, uint64_t max, uint64_t *out);

/* Reads a time in seconds: a number, or numbers with units as in BIND ("1h30m", w d h m s, any case); up to 32 bits, like the
 * times of an SOA.  E_FORMAT, E_RANGE. */
err_t lex_period(const struct lex_token *t, uint32_t *out);

/* Reads a TTL: like lex_period(), but E_RANGE over DNS_TTL_MAX. */
err_t lex_ttl(const struct lex_token *t, uint32_t *out);
