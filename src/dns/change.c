#include "dns/change.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dns/lex.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

enum { QUOTED_MAX = 40 }; /* octets of a word that is quoted in a message */

struct reader {
	enum change_kind kind;
	const struct change_context *in;
	struct change_error *why;
	struct lex lx;
	struct lex_token t;
	struct name owner;
	uint32_t ttl;
	uint16_t type;
	bool is_whole; /* no RDATA: every record of the type */
};

/* ---- errors ---- */

[[gnu::format(printf, 2, 3)]] static err_t
fail(struct reader *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(r->why->text, sizeof r->why->text, format, args);
	va_end(args);
	r->why->hint[0] = '\0';
	return E_FORMAT;
}

/* The present word for a message: shortened, without control characters that could affect a terminal. */
static const char *
quoted(const struct reader *r, char out[QUOTED_MAX + 4])
{
	size_t n = r->t.len < QUOTED_MAX ? r->t.len : QUOTED_MAX;
	for (size_t i = 0; i < n; i++) {
		out[i] = r->t.s[i] >= ' ' && r->t.s[i] < 127 ? r->t.s[i] : '?';
	}
	(void)snprintf(out + n, 4, "%s", n < r->t.len ? "..." : "");
	return out;
}

/* Reports that something else is in the place of a word. */
static err_t
no_word(struct reader *r, const char *what)
{
	char text[QUOTED_MAX + 4];
	switch (r->t.kind) {
	case LEX_ERROR:
		return fail(r, "%s", r->t.what);
	case LEX_QUOTED:
		return fail(r, "expected %s, not the string \"%s\"", what, quoted(r, text));
	default:
		return fail(r, "expected %s, but there is nothing more", what);
	}
}

/* ---- reading ---- */

static err_t
read_owner(struct reader *r)
{
	char text[QUOTED_MAX + 4], zone[NAME_TEXT_MAX];
	lex_next(&r->lx, &r->t);
	if (r->t.kind == LEX_BLANK) {
		lex_next(&r->lx, &r->t);
	}
	if (r->t.kind != LEX_WORD) {
		return no_word(r, "a name");
	}
	err_t err = name_parse(r->t.s, r->t.len, NULL, &r->owner);
	if (err != OK) {
		return fail(r, "%s is not a domain name: %s", quoted(r, text), err_str(err));
	}
	if (!name_is_within(r->owner.oct, r->in->zone)) {
		(void)name_show(r->in->zone, zone);
		(void)fail(r, "%s is not in the zone %.150s", quoted(r, text), zone);
		(void)snprintf(r->why->hint, sizeof r->why->hint,
		               "names must be complete, with or without a final dot: did you mean %s.%.150s?", quoted(r, text), zone);
		return E_FORMAT;
	}
	return OK;
}

static err_t
read_ttl(struct reader *r)
{
	char text[QUOTED_MAX + 4];
	err_t err = lex_ttl(&r->t, &r->ttl);
	if (err != OK) {
		return fail(r, "%s is not a TTL: %s", quoted(r, text),
		            err == E_RANGE ? "at most 2147483647 seconds" : "seconds, or such as 1h30m");
	}
	return OK;
}

/* Reads [TTL] [IN] TYPE.  The type is ANY when there is none. */
static err_t
read_type(struct reader *r)
{
	char text[QUOTED_MAX + 4];
	bool has_ttl = false;
	uint16_t rrclass;
	r->type = TYPE_ANY;
	r->ttl = r->in->ttl;
	for (;;) {
		lex_next(&r->lx, &r->t);
		if (r->t.kind == LEX_EOL && r->kind != CHANGE_ADD) {
			r->is_whole = true;
			return OK;
		}
		if (r->t.kind != LEX_WORD) {
			return no_word(r, "a record type");
		}
		if (!has_ttl && r->t.s[0] >= '0' && r->t.s[0] <= '9') {
			TRY(read_ttl(r));
			has_ttl = true;
		} else if (rrtype_parse(r->t.s, r->t.len, &r->type) == OK) {
			return OK;
		} else if (rrclass_parse(r->t.s, r->t.len, &rrclass) != OK) {
			return fail(r, "unknown record type %s", quoted(r, text));
		} else if (rrclass != CLASS_IN) {
			return fail(r, "class %s: only IN is updated", quoted(r, text));
		}
	}
}

/* True when nothing follows the type.  For an addition this is false: rdata_parse() decides whether RDATA may be empty. */
static bool
is_at_end(struct reader *r)
{
	struct lex here = r->lx;
	lex_next(&r->lx, &r->t);
	if (r->t.kind == LEX_EOL && r->kind != CHANGE_ADD) {
		return true;
	}
	r->lx = here;
	return false;
}

static err_t
read_head(struct reader *r)
{
	char type[RRTYPE_TEXT_MAX];
	TRY(read_owner(r));
	TRY(read_type(r));
	r->is_whole = r->is_whole || is_at_end(r);
	bool is_everything = r->is_whole && r->type == TYPE_ANY;
	if (!is_everything && (r->type == 0 || (rrtype_flags(r->type) & RRTYPE_META) != 0)) {
		return fail(r, "%s: no name has records of this type", rrtype_print(r->type, type));
	}
	if (r->kind == CHANGE_IF_ABSENT && !r->is_whole) {
		return fail(r, "a prerequisite can only demand that all records of a type are absent: leave the data out");
	}
	return OK;
}

static err_t
read_rdata(struct reader *r, struct buf *b)
{
	struct rdata_error why;
	err_t err = rdata_parse(&r->lx, r->type, name_root, b, &why);
	if (err == OK || err == E_FULL) {
		return err;
	}
	(void)fail(r, "%s", why.token.kind == LEX_ERROR ? why.token.what : why.text);
	(void)snprintf(r->why->hint, sizeof r->why->hint, "%s", why.hint);
	return E_FORMAT;
}

/* ---- writing ---- */

/* The class that stands for the kind of change (RFC 2136 2.4, 2.5). */
static uint16_t
class_of(const struct reader *r)
{
	switch (r->kind) {
	case CHANGE_ADD:
		return CLASS_IN;
	case CHANGE_DELETE:
		return r->is_whole ? CLASS_ANY : CLASS_NONE;
	case CHANGE_IF_EXISTS:
		return r->is_whole ? CLASS_ANY : CLASS_IN;
	default:
		return CLASS_NONE;
	}
}

static err_t
put_rr(struct reader *r, struct buf *b)
{
	buf_put(b, r->owner.oct, r->owner.len);
	buf_u16(b, r->type);
	buf_u16(b, class_of(r));
	buf_u32(b, r->kind == CHANGE_ADD ? r->ttl : 0);
	buf_u16(b, 0); /* RDLENGTH */
	TRY(b->err);
	size_t rdata_at = b->len;
	if (!r->is_whole) {
		TRY(read_rdata(r, b));
	}
	buf_patch_u16(b, rdata_at - 2, (uint16_t)(b->len - rdata_at));
	lex_next(&r->lx, &r->t);
	return r->t.kind == LEX_EOF ? OK : fail(r, "there is a second line: only one record is possible");
}

err_t
change_put(struct buf *message, enum change_kind kind, const char *text, const struct change_context *in, struct change_error *why)
{
	struct reader r = { .kind = kind, .in = in, .why = why };
	size_t start = message->len;
	lex_init(&r.lx, text, strlen(text));
	err_t err = read_head(&r);
	if (err == OK) {
		err = put_rr(&r, message);
	}
	if (err == E_FULL) {
		(void)fail(&r, "a message has no room for this: at most 65,535 octets at once");
	}
	if (err != OK) {
		buf_rewind(message, start);
	}
	return err;
}

/* ---- for people ---- */

void
change_print(const struct msg *m, const struct msg_rr *rr, struct str *out)
{
	char type[RRTYPE_TEXT_MAX];
	(void)rrtype_print(rr->type, type);
	if (rr->rrclass == CLASS_ANY) {
		str_printf(out, rr->type == TYPE_ANY ? "everything" : "all %s", type);
		return;
	}
	str_printf(out, "%s ", type);
	if (rr->rdlength == 0) {
		/* the RDATA of an APL may be empty; without this text, the change would seem to concern all records of the type */
		str_cat(out, "\\# 0");
	} else {
		rdata_print(rr->type, m->wire + rr->rdata_at, rr->rdlength, out);
	}
	if (rr->rrclass == CLASS_IN) {
		str_printf(out, ", TTL %u", rr->ttl);
	}
}
