/* Finds the parts of a record's line. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/rrtype.h"
#include "zone/edit_p.h"

static struct edit_span
span_of(const char *text, const struct lex_token *t)
{
	size_t from = (size_t)(t->s - text), quote = t->kind == LEX_QUOTED;
	return (struct edit_span){ from - quote, from + t->len + quote };
}

static bool
is_token(const struct lex_token *t)
{
	return t->kind == LEX_WORD || t->kind == LEX_QUOTED;
}

void
edit_tokens_fini(struct edit_tokens *t)
{
	free(t->rdata);
	*t = (struct edit_tokens){ 0 };
}

/* The rules of the reader (zone/master.c): a word that begins with a digit is the TTL; IN, or another word that is not a type,
 * is the class. */
static enum edit_field
field_of(const struct edit_tokens *out, const struct lex_token *t)
{
	uint16_t code;
	if (t->kind != LEX_WORD) {
		return EDIT_FIELDS;
	}
	if (t->s[0] >= '0' && t->s[0] <= '9') {
		return edit_has(out->field[EDIT_TTL]) ? EDIT_FIELDS : EDIT_TTL;
	}
	if (rrtype_parse(t->s, t->len, &code) == OK) {
		return EDIT_TYPE;
	}
	return !edit_has(out->field[EDIT_CLASS]) && rrclass_parse(t->s, t->len, &code) == OK ? EDIT_CLASS : EDIT_FIELDS;
}

/* Reads the line up to the type. */
static err_t
read_head(struct lex *lx, struct lex_token *t, struct edit_tokens *out)
{
	enum edit_field field;
	do {
		field = field_of(out, t);
		if (field == EDIT_FIELDS) {
			return E_FORMAT;
		}
		out->field[field] = span_of(out->text, t);
		out->depth = lx->depth;
		lex_next(lx, t);
	} while (field != EDIT_TYPE);
	return OK;
}

/* Adds a token of the data.  Tokens without white space between them, such as alpn="h2", are one. */
static err_t
add_rdata(struct edit_tokens *out, struct edit_span s)
{
	if (out->rdata_n != 0 && out->rdata[out->rdata_n - 1].to == s.from) {
		out->rdata[out->rdata_n - 1].to = s.to;
		return OK;
	}
	if (!try_room(&out->rdata, sizeof *out->rdata, out->rdata_n, &out->rdata_cap)) {
		return E_NOMEM;
	}
	out->rdata[out->rdata_n++] = s;
	return OK;
}

static err_t
read_rdata(struct lex *lx, struct lex_token *t, struct edit_tokens *out)
{
	out->depth = is_token(t) ? lx->depth : out->depth;
	for (; is_token(t); lex_next(lx, t)) {
		TRY(add_rdata(out, span_of(out->text, t)));
	}
	if (out->rdata_n != 0) {
		out->field[EDIT_RDATA] = (struct edit_span){ out->rdata[0].from, out->rdata[out->rdata_n - 1].to };
	}
	return t->kind == LEX_EOL ? OK : E_FORMAT;
}

/* The position after the last token, and after a last parenthesis that follows it. */
static size_t
find_tail(const struct edit_tokens *t)
{
	size_t at = edit_has(t->field[EDIT_RDATA]) ? t->field[EDIT_RDATA].to : t->field[EDIT_TYPE].to, tail = at;
	while (at < t->end) {
		char c = t->text[at++];
		if (c == ';') {
			const char *newline = memchr(t->text + at, '\n', t->end - at);
			newline = newline != NULL ? newline : lex_line_end(t->text + at, t->text + t->end);
			at = (size_t)(newline - t->text);
		} else if (c == '(' || c == ')') {
			tail = at;
		}
	}
	return tail;
}

static bool
is_one_line(const struct edit_tokens *t)
{
	const char *end = t->text + t->end;
	return end - lex_line_end(t->text + t->begin, end) <= 1;
}

static err_t
read_line(struct lex *lx, bool is_directive, struct edit_tokens *out)
{
	struct lex_token t;
	lex_next(lx, &t);
	if (is_directive) {
		lex_next(lx, &t);
		out->range = span_of(out->text, &t);
		lex_next(lx, &t);
	}
	if (is_token(&t)) {
		out->owner = span_of(out->text, &t);
	} else if (t.kind != LEX_BLANK) {
		return E_FORMAT;
	}
	lex_next(lx, &t);
	TRY(read_head(lx, &t, out));
	return read_rdata(lx, &t, out);
}

err_t
edit_tokens_read(const char *text, size_t begin, size_t end, bool is_directive, struct edit_tokens *out)
{
	struct edit_tokens made = { .text = text, .begin = begin, .end = end };
	struct lex lx;
	lex_init(&lx, text + begin, 0); /* length 0, so that it does not skip a byte order mark in the middle of the text */
	lx.end = text + end;
	/* decided by the whole text, since the line may be the last one, without a line end */
	lx.has_lf = memchr(text, '\n', end) != NULL;
	err_t err = read_line(&lx, is_directive, &made);
	if (err != OK) {
		edit_tokens_fini(&made);
		return err;
	}
	made.is_plain = is_one_line(&made) && lx.paren_at == NULL;
	made.tail = find_tail(&made);
	*out = made;
	return OK;
}

bool
edit_is_absolute(const char *text, struct edit_span s)
{
	size_t backslashes = 0;
	if (s.from == s.to || text[s.to - 1] != '.') {
		return false;
	}
	while (s.to - 1 - backslashes > s.from && text[s.to - 2 - backslashes] == '\\') {
		backslashes++;
	}
	return backslashes % 2 == 0;
}
