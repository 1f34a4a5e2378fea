/* $GENERATE, as in BIND 9.18:
 *
 *   $GENERATE start-stop[/step] owner [TTL] [class] type data
 *
 * Owner and data are templates of one token each (data of several fields need quotes).  In a template, $ is the running number,
 * ${offset[,width[,base]]} a number made from it, and $$ or \$ a dollar. */

#include <stdio.h>
#include <string.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/master_p.h"

struct generate {
	struct master_range range;
	struct lex_token owner, data; /* templates */
	struct master_head head;
	uint32_t ttl;
};

/* Reads a signed decimal number at text[*at]; *at moves to after it. */
static err_t
take_int(const char *text, size_t len, size_t *at, int32_t *out)
{
	size_t i = *at;
	bool is_negative = i < len && text[i] == '-';
	i += i < len && (text[i] == '-' || text[i] == '+');
	size_t digits = i;
	int64_t v = 0;
	for (; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		v = v * 10 + (text[i] - '0');
		if (v > (int64_t)INT32_MAX + 1) {
			return E_RANGE;
		}
	}
	v = is_negative ? -v : v;
	if (i == digits || v > INT32_MAX) {
		return i == digits ? E_FORMAT : E_RANGE;
	}
	*out = (int32_t)v;
	*at = i;
	return OK;
}

err_t
master_range_parse(const char *text, size_t len, struct master_range *out)
{
	struct master_range r = { .step = 1 };
	size_t at = 0;
	TRY(take_int(text, len, &at, &r.start));
	if (at == len || text[at++] != '-') {
		return E_FORMAT;
	}
	TRY(take_int(text, len, &at, &r.stop));
	if (at < len) {
		if (text[at++] != '/') {
			return E_FORMAT;
		}
		TRY(take_int(text, len, &at, &r.step));
	}
	if (at != len || r.start < 0 || r.stop < r.start || r.step < 1) {
		return E_FORMAT;
	}
	*out = r;
	return OK;
}

static size_t
range_count(const struct master_range *r)
{
	return (size_t)((r->stop - r->start) / r->step) + 1;
}

/* The contents of ${offset,width,base}. */
struct modifier {
	int32_t offset, width;
	char base;
};

/* Reads the contents from the opening brace; *at moves to after the closing one. */
static err_t
parse_modifier(const char *text, size_t len, size_t *at, struct modifier *out)
{
	struct modifier mod = { .base = 'd' };
	size_t i = *at + 1;
	TRY(take_int(text, len, &i, &mod.offset));
	if (i < len && text[i] == ',') {
		i++;
		TRY(take_int(text, len, &i, &mod.width));
		if (i + 1 < len && text[i] == ',') {
			mod.base = text[i + 1];
			i += 2;
		}
	}
	if (i == len || text[i] != '}' || mod.base == '\0' || strchr("doxXnN", mod.base) == NULL) {
		return E_FORMAT;
	}
	if (mod.width < 0 || mod.width >= MASTER_NUMBER_MAX) {
		return E_RANGE;
	}
	*at = i + 1;
	*out = mod;
	return OK;
}

/* Writes hexadecimal digits, the lowest first, with dots between them, for reverse zones.  The width includes the dots; if it is
 * even, the last octet is a dot. */
static size_t
print_nibbles(uint32_t v, int32_t width, const char *digits, char out[MASTER_NUMBER_MAX])
{
	size_t n = 0;
	do {
		out[n++] = digits[v & 15];
		v >>= 4;
		width--;
		if (width > 0 || v != 0) {
			out[n++] = '.';
			width--;
		}
	} while (width > 0 || v != 0);
	return n;
}

/* Writes a number.  No overflow: widths are below MASTER_NUMBER_MAX, so all numbers fit. */
static size_t
print_number(const struct modifier *mod, int32_t v, char out[MASTER_NUMBER_MAX])
{
	uint32_t bits = (uint32_t)v;
	switch (mod->base) {
	case 'n':
		return print_nibbles(bits, mod->width, "0123456789abcdef", out);
	case 'N':
		return print_nibbles(bits, mod->width, "0123456789ABCDEF", out);
	case 'o':
		return (size_t)snprintf(out, MASTER_NUMBER_MAX, "%0*o", mod->width, bits);
	case 'x':
		return (size_t)snprintf(out, MASTER_NUMBER_MAX, "%0*x", mod->width, bits);
	case 'X':
		return (size_t)snprintf(out, MASTER_NUMBER_MAX, "%0*X", mod->width, bits);
	default:
		return (size_t)snprintf(out, MASTER_NUMBER_MAX, "%0*d", mod->width, v);
	}
}

/* Writes the number that replaces a $; *at is at the $, and moves to after it and its braces.  An offset stays in force for
 * later $ without braces, as in BIND. */
static err_t
expand_dollar(const struct lex_token *t, size_t *at, int32_t running, int32_t *offset,
              char out[MASTER_NUMBER_MAX], size_t *out_n)
{
	struct modifier mod = { .base = 'd', .offset = *offset };
	size_t i = *at + 1;
	if (i < t->len && t->s[i] == '{') {
		TRY(parse_modifier(t->s, t->len, &i, &mod));
	}
	int64_t v = (int64_t)running + mod.offset;
	if (v > INT32_MAX) {
		return E_RANGE;
	}
	*out_n = print_number(&mod, (int32_t)v, out);
	*offset = mod.offset;
	*at = i;
	return OK;
}

/* Number of ordinary octets from `at` on. */
static size_t
plain_run(const struct lex_token *t, size_t at)
{
	size_t i = at;
	while (i < t->len && t->s[i] != '$' && t->s[i] != '\\') {
		i++;
	}
	return i - at;
}

/* Writes the template with its numbers into out[0, MASTER_TEMPLATE_MAX). */
static err_t
expand(const struct lex_token *t, int32_t running, char *out, size_t *out_n)
{
	int32_t offset = 0;
	size_t n = 0;
	for (size_t i = 0; i < t->len;) {
		char made[MASTER_NUMBER_MAX];
		const char *piece = t->s + i;
		size_t piece_n = plain_run(t, i);
		bool has_next = i + 1 < t->len;
		if (piece_n != 0) {
			i += piece_n;
		} else if (*piece == '$' && has_next && piece[1] == '$') {
			piece_n = 1;
			i += 2;
		} else if (*piece == '$') {
			TRY(expand_dollar(t, &i, running, &offset, made, &piece_n));
			piece = made;
		} else if (t->kind == LEX_QUOTED && has_next && piece[1] == '"') {
			piece++; /* an escaped quote within quotes becomes the quote of a string */
			piece_n = 1;
			i += 2;
		} else {
			piece_n = has_next ? 2 : 1; /* the escape stays */
			i += piece_n;
		}
		if (piece_n > MASTER_TEMPLATE_MAX - n) {
			return E_FULL;
		}
		memcpy(out + n, piece, piece_n);
		n += piece_n;
	}
	*out_n = n;
	return OK;
}

/* Expands a template of the directive into m->expanded, and reports errors in it. */
static err_t
expand_template(struct master *m, const struct lex_token *t, int32_t running, size_t *out_n)
{
	err_t err = expand(t, running, m->expanded, out_n);
	switch (err) {
	case OK:
		return OK;
	case E_FORMAT:
		return master_error(m, t, "bad-generate", "for example ${0,3,d}; bases are d o x X n N",
		                    "a modifier should be ${offset}, ${offset,width} or "
		                    "${offset,width,base}");
	case E_RANGE:
		return master_error(m, t, "bad-generate", "",
		                    "a number of the template is out of range at %d", running);
	default:
		return master_error(m, t, "bad-generate", "", "the template gets too long at %d", running);
	}
}

static err_t
make_owner(struct master *m, const struct generate *g, int32_t running, struct name *out)
{
	size_t n = 0;
	char shown[MASTER_SHOWN_MAX];
	TRY(expand_template(m, &g->owner, running, &n));
	if (n == 1 && m->expanded[0] == '@') {
		*out = m->origin;
		return OK;
	}
	err_t err = name_parse(m->expanded, n, m->origin.oct, out);
	if (err != OK) {
		struct lex_token made = { .s = m->expanded, .len = n };
		return master_error(m, &g->owner, "bad-generate", "", "\"%s\" is not a domain name: %s",
		                    master_shown(&made, shown), master_name_trouble(err));
	}
	return OK;
}

static err_t
make_rdata(struct master *m, const struct generate *g, int32_t running)
{
	size_t n = 0;
	struct lex lx;
	struct rdata_error why;
	TRY(expand_template(m, &g->data, running, &n));
	lex_init(&lx, m->expanded, n);
	lx.at_line_start = false; /* this is within a record, where leading white space has no meaning */
	buf_rewind(&m->rdata, 0);
	if (rdata_parse(&lx, g->head.type, m->origin.oct, &m->rdata, &why) != OK) {
		const char *text = why.token.kind == LEX_ERROR ? why.token.what : why.text;
		return master_error(m, &g->data, "bad-generate", why.hint, "the data made at %d: %s", running, text);
	}
	return OK;
}

/* Counts a generated record against the limit for all of them: a short line could make a million records of 64 KiB each. */
static err_t
charge(struct master *m, const struct generate *g, const struct master_rr *rr)
{
	size_t cost = MASTER_RECORD_COST + name_len(rr->owner) + rr->rdlen;
	if (cost > MASTER_GENERATED_MAX - m->generated_octets) {
		return master_error(m, &g->data, "generate-limit", "",
		                    "more than %d octets of generated records in one zone",
		                    MASTER_GENERATED_MAX);
	}
	m->generated_octets += cost;
	return OK;
}

/* Makes all records of the range; the first error ends it. */
static err_t
make_records(struct master *m, const struct generate *g, const struct lex_token *directive, struct master_rr *rr)
{
	struct name owner;
	rr->owner = owner.oct;
	rr->rdata = m->rdata.base;
	for (int64_t i = g->range.start; i <= g->range.stop; i += g->range.step) {
		TRY(make_owner(m, g, (int32_t)i, &owner));
		TRY(make_rdata(m, g, (int32_t)i));
		rr->rdlen = (uint16_t)m->rdata.len;
		rr->number = (int32_t)i;
		TRY(charge(m, g, rr));
		err_t err = master_give(m, directive, rr);
		if (err != OK) {
			m->counts.generate_rest = (size_t)((g->range.stop - i) / g->range.step);
			return err;
		}
	}
	return OK;
}

static err_t
read_range(struct master *m, struct master_range *out)
{
	struct lex_token t;
	char shown[MASTER_SHOWN_MAX];
	TRY(master_argument(m, "range", &t));
	if (master_range_parse(t.s, t.len, out) != OK) {
		return master_error(m, &t, "bad-generate", "for example 1-100, or 0-254/2",
		                    "\"%s\" is not a range", master_shown(&t, shown));
	}
	size_t count = range_count(out);
	if (count > MASTER_GENERATE_MAX) {
		return master_error(m, &t, "generate-limit", "", "%zu records are too many", count);
	}
	return OK;
}

static err_t
read_arguments(struct master *m, struct generate *g)
{
	TRY(read_range(m, &g->range));
	TRY(master_argument(m, "owner of the records", &g->owner));
	TRY(master_argument(m, "type of the records", &g->head.t));
	TRY(master_read_head(m, &g->head));
	TRY(master_argument(m, "data of the records", &g->data));
	TRY(master_expect_end(m, "data of several fields need quotes around them"));
	buf_rewind(&m->rdata, 0); /* so that it has no SOA whose minimum could become the TTL */
	return master_settle_ttl(m, &g->head, &g->ttl);
}

err_t
master_generate(struct master *m, const struct lex_token *directive)
{
	struct generate g;
	struct master_rr rr = {
		.begin = (size_t)(m->lx.record_at - m->lx.text),
		.line = m->lx.record_line,
		.col = lex_column(&m->lx, directive),
		.origin = m->origin.oct,
		.file = m->frame->file,
		.text = m->lx.text,
	};
	master_note_ttl(m, &rr);
	TRY(read_arguments(m, &g));
	rr.type = g.head.type;
	rr.rrclass = CLASS_IN;
	rr.ttl = g.ttl;
	rr.flags = MASTER_GENERATED | master_marks(m) | (g.head.has_ttl ? MASTER_TTL_GIVEN : 0u) |
	           (g.head.has_class ? MASTER_CLASS_GIVEN : 0u);
	rr.last_line = master_last_line(m);
	rr.end = (size_t)(m->lx.at - m->lx.text);
	return make_records(m, &g, directive, &rr);
}
