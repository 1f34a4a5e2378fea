/* Reads RDATA text: calls the readers of the fields, writes messages, and reads RFC 3597's generic form. */
#include <stdio.h>
#include <string.h>

#include "dns/rdata_p.h"
#include "dns/wire.h"

enum { QUOTED_MAX = 40 }; /* octets of a token that is quoted in a message */

/* Writes the beginning of a message, "MX preference: ", as far as it is known. */
static size_t
put_subject(const struct rdata_parser *p, char *text, size_t cap)
{
	char type[RRTYPE_TEXT_MAX];
	int n = p->field != NULL
	                ? snprintf(text, cap, "%s %s: ", rrtype_print(p->type, type), p->field->label)
	                : snprintf(text, cap, "%s: ", rrtype_print(p->type, type));
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

err_t
rdata_fail(struct rdata_parser *p, err_t err, const char *format, ...)
{
	if (p->why == NULL) {
		return err;
	}
	va_list args;
	size_t n = put_subject(p, p->why->text, sizeof p->why->text);
	p->why->token = p->t;
	va_start(args, format);
	(void)vsnprintf(p->why->text + n, sizeof p->why->text - n, format, args);
	va_end(args);
	return err;
}

void
rdata_hint(struct rdata_parser *p, const char *format, ...)
{
	va_list args;
	if (p->why == NULL) {
		return;
	}
	va_start(args, format);
	(void)vsnprintf(p->why->hint, sizeof p->why->hint, format, args);
	va_end(args);
}

/* The token for a message: shortened, without control characters that could affect a terminal. */
static const char *
token_text(const struct lex_token *t, char out[QUOTED_MAX + 4])
{
	size_t n = t->len < QUOTED_MAX ? t->len : QUOTED_MAX;
	for (size_t i = 0; i < n; i++) {
		out[i] = t->s[i] >= ' ' && t->s[i] < 127 ? t->s[i] : '?';
	}
	memcpy(out + n, n < t->len ? "..." : "", n < t->len ? 4 : 1);
	return out;
}

err_t
rdata_expected(struct rdata_parser *p, const char *what)
{
	char token[QUOTED_MAX + 4];
	if (p->t.kind == LEX_ERROR) {
		return rdata_fail(p, E_FORMAT, "%s", p->t.what);
	}
	if (rdata_at_end(p)) {
		return rdata_fail(p, E_FORMAT, "missing, expected %s", what);
	}
	return rdata_fail(p, E_FORMAT, "expected %s, not \"%s\"", what, token_text(&p->t, token));
}

static bool
is_generic(const struct lex_token *t)
{
	return t->kind == LEX_WORD && t->len == 2 && t->s[0] == '\\' && t->s[1] == '#';
}

/* Reads "\# LENGTH HEX" (RFC 3597 5), for any type; the result must be well-formed if the type is known. */
static err_t
parse_generic(struct rdata_parser *p)
{
	static const struct rrfield length = { FIELD_U16, "length" }, data = { FIELD_HEX, "data" };
	struct lex_token first = p->t;
	uint64_t n;
	p->field = &length;
	rdata_next(p);
	TRY(rdata_parse_number(p, DNS_RDATA_MAX, &n));
	p->field = &data;
	if (!rdata_at_end(p)) {
		TRY(rdata_parse_hex(p, RDATA_TO_END));
	}
	size_t have = p->out->len - p->start;
	p->field = NULL;
	if (p->out->err == OK && have != n) {
		return rdata_fail(p, E_FORMAT, "there are %zu octets of data where \\# says %u", have,
		                  (unsigned)n);
	}
	if (p->out->err == OK && rdata_check(p->type, p->out->base + p->start, have) != OK) {
		p->t = first;
		return rdata_fail(p, E_FORMAT, "these octets are not well-formed for the type");
	}
	return OK;
}

static err_t
parse_fields(struct rdata_parser *p, const struct rrtype *t)
{
	char type[RRTYPE_TEXT_MAX];
	if (t == NULL || t->fields == NULL) {
		(void)rdata_fail(p, E_UNSUPPORTED, "the type has no text form of its own");
		rdata_hint(p, "write it in the form of RFC 3597: %s \\# LENGTH HEX",
		           rrtype_print(p->type, type));
		return E_UNSUPPORTED;
	}
	for (p->field = t->fields; p->field->kind != FIELD_END; p->field++) {
		TRY(rdata_kinds[p->field->kind].parse(p));
		if (p->out->err != OK) {
			return OK; /* parse_record() will report it */
		}
	}
	p->field = NULL;
	return rdata_at_end(p) ? OK : rdata_expected(p, "the end of the record");
}

static err_t
parse_record(struct rdata_parser *p)
{
	const struct rrtype *t = rrtype_by_code(p->type);
	rdata_next(p);
	if (p->t.kind == LEX_BLANK) {
		rdata_next(p);
	}
	if ((t != NULL ? t->flags : rrtype_flags(p->type)) & RRTYPE_META) {
		return rdata_fail(p, E_UNSUPPORTED, "a type for queries and messages has no records");
	}
	TRY(is_generic(&p->t) ? parse_generic(p) : parse_fields(p, t));
	if (p->out->err != OK) {
		return rdata_fail(p, p->out->err, "RDATA is longer than 65,535 octets");
	}
	return OK;
}

err_t
rdata_parse(struct lex *lx, uint16_t type, const uint8_t *origin, struct buf *out,
            struct rdata_error *why)
{
	struct rdata_parser p;
	p.lx = lx;
	p.origin = origin;
	p.out = out;
	p.start = out->len;
	p.why = why;
	p.type = type;
	p.field = NULL;
	if (why != NULL) {
		why->hint[0] = '\0';
	}
	if (out->err != OK) {
		return out->err;
	}
	/* A temporary lower limit keeps every field within what RDLENGTH can express. */
	size_t cap = out->cap;
	if (cap - out->len > DNS_RDATA_MAX) {
		out->cap = out->len + DNS_RDATA_MAX;
	}
	err_t err = parse_record(&p);
	out->cap = cap;
	if (err != OK) {
		buf_rewind(out, p.start);
	}
	return err;
}
