/* dns/lex.h -- tokens of master-file text (RFC 1035 5.1).
 *
 * The lexer borrows the text.  It knows parentheses, comments, quotes, CRLF, and where each token
 * stood.  It copies nothing: a token points into the text and still has its escapes.  name_parse() and lex_string()
 * resolve them.
 *
 * A logical line ends at a newline outside parentheses, or at the end of the text, where a last line
 * without newline ends too: LEX_EOL is always given before LEX_EOF.  Blank and comment lines give no
 * token at all, except that LEX_BLANK is given when a line that has tokens begins with white space
 * (the owner is then inherited).
 *
 * A quote inside a word ends the word: `alpn="h2"` is the word `alpn=` and the quoted string `h2`.
 * lex_is_joined() tells whether the two touch (RFC 9460 2.1).
 *
 * Errors (quote not closed at the end of its line, parenthesis not closed or not open, octet 0) are
 * LEX_ERROR, with `what`; lex_skip_line() then goes on at the next line.
 *
 * A line ends with LF, CRLF (also CR CR LF, which some conversions make), or CR alone.  Comments and quoted strings reach to the LF, as
 * with BIND and NSD, but in a text that has none.  A byte order mark at the start is passed over.
 *
 * Hot: loading a million records goes through here.
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
	uint32_t paren_line;          /* where the outermost was opened */
	uint32_t restarts;            /* left for lex_skip_line() */
	const char *paren_at;         /* the outermost itself, when depth is not 0 */
	const char *record_at;        /* start of the logical line's first physical line that is not blank */
	uint32_t record_line;
	bool at_line_start;           /* nothing of the logical line was read yet */
	bool has_lf;                  /* else comments and quoted strings end at a CR */
	bool is_unclosed;             /* the text ended within parentheses, from paren_at on */
};

void lex_init(struct lex *lx, const char *text, size_t len);
void lex_next(struct lex *lx, struct lex_token *out);

/* Moves to the start of the next logical line, whatever is left of this one; nothing when this one's
 * LEX_EOL was already given.  After an error in a multi-line record, so that its rest is not read as
 * records.  Where a parenthesis is never closed, goes on (LEX_RESTARTS_MAX times a text) at the next
 * physical line that looks like a record, so that one slip does not hide all that follows. */
void lex_skip_line(struct lex *lx);

/* Does the octet at `p` end a line: LF, or a CR that no LF follows? */
static inline bool
lex_is_line_end(const char *p, const char *end)
{
	return *p == '\n' ||
	       (*p == '\r' && !(end - p > 1 && p[1] == '\n') && !(end - p > 2 && p[1] == '\r' && p[2] == '\n'));
}

/* The first octet from `p` on that ends a line, or `end`. */
const char *lex_line_end(const char *p, const char *end);

/* Does `t` follow `before` without anything between them? */
static inline bool
lex_is_joined(const struct lex_token *before, const struct lex_token *t)
{
	const char *end = before->s + before->len + (before->kind == LEX_QUOTED);
	return end == t->s - (t->kind == LEX_QUOTED);
}

/* Column (from 1, octets) of a token on its physical line; of its quote, if it has one. */
uint32_t lex_column(const struct lex *lx, const struct lex_token *t);

/* The physical line that a token stands on, without its line end. */
void lex_source_line(const struct lex *lx, const struct lex_token *t, const char **line, size_t *len);

/* A token as a character-string's octets: escapes resolved.  E_FULL when longer than `cap`, E_FORMAT
 * for an escape that is cut short, E_RANGE for one over \255. */
err_t lex_string(const struct lex_token *t, uint8_t *out, size_t cap, size_t *out_n);

/* Unsigned decimal number, nothing else; E_FORMAT, or E_RANGE over `max`. */
err_t lex_number(const struct lex_token *t, uint64_t max, uint64_t *out);

/* Time in seconds: a number, or with units as BIND takes them ("1h30m", w d h m s, any case); up to 32
 * bits, as the timers of a SOA may have.  E_FORMAT, E_RANGE. */
err_t lex_period(const struct lex_token *t, uint32_t *out);

/* TTL: as lex_period(), but E_RANGE over DNS_TTL_MAX. */
err_t lex_ttl(const struct lex_token *t, uint32_t *out);
