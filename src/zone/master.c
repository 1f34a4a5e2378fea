#include "zone/master.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/master_p.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_at_sign(const struct lex_token *t)
{
	return t->len == 1 && t->s[0] == '@';
}

err_t
master_parse_name(struct master *m, const struct lex_token *t, const char *code, struct name *out)
{
	char shown[MASTER_SHOWN_MAX];
	if (is_at_sign(t)) {
		*out = m->origin;
		return OK;
	}
	err_t err = name_parse(t->s, t->len, m->origin.oct, out);
	if (err != OK) {
		return master_error(m, t, code, "", "\"%s\" is not a domain name: %s",
		                    master_shown(t, shown), master_name_trouble(err));
	}
	return OK;
}

/* Takes the most common owner, one label below the origin.  False: it is something else. */
static bool
is_label_taken(struct master *m, const struct lex_token *t)
{
	if (t->has_escape || t->len > LABEL_MAX || t->len + 1 + m->origin.len > NAME_WIRE_MAX ||
	    is_at_sign(t) || t->len == 0 || memchr(t->s, '.', t->len) != NULL) {
		return false;
	}
	uint8_t *oct = m->owner.oct;
	oct[0] = (uint8_t)t->len;
	memcpy(oct + 1, t->s, t->len);
	memcpy(oct + 1 + t->len, m->origin.oct, m->origin.len);
	m->owner.len = (uint8_t)(1 + t->len + m->origin.len);
	return true;
}

/* An owner that cannot be parsed does not end the record: its other fields are checked nevertheless. */
static void
read_owner(struct master *m, const struct lex_token *t)
{
	if (m->owner_text != NULL && m->owner_text_len == t->len &&
	    memcmp(m->owner_text, t->s, t->len) == 0) {
		return; /* the same owner as on the line before */
	}
	m->owner_is_bad = !is_label_taken(m, t) && master_parse_name(m, t, "bad-owner", &m->owner) != OK;
	m->owner_text = m->owner_is_bad ? NULL : t->s;
	m->owner_text_len = t->len;
	m->origin_changed = false;
}

static err_t
inherit_owner(struct master *m, const struct lex_token *t)
{
	if (m->owner.len == 0 && !m->owner_is_bad) {
		m->owner_is_bad = true;
		return master_error(m, t, "no-owner",
		                    "a line that begins with white space belongs to the owner above it",
		                    "the first record has no owner");
	}
	if (m->origin_changed && !m->owner_is_bad) {
		char owner[NAME_TEXT_MAX];
		m->origin_changed = false;
		name_print(m->owner.oct, owner);
		master_warn(m, t, "previous-owner", "write the owner out",
		            "right after $ORIGIN this record still belongs to %s", owner);
	}
	return OK;
}

err_t
master_read_ttl(struct master *m, const struct lex_token *t, uint32_t *out)
{
	char shown[MASTER_SHOWN_MAX];
	uint32_t ttl = 0;
	err_t err = lex_period(t, &ttl);
	if (err == E_RANGE) {
		return master_error(m, t, "bad-ttl", "", "TTL %s is out of range", master_shown(t, shown));
	}
	if (err != OK) {
		return E_UNSUPPORTED;
	}
	if (ttl > DNS_TTL_MAX) { /* RFC 2181 8: treat as 0 */
		master_warn(m, t, "ttl-too-large", "the largest TTL is 2147483647",
		            "TTL %s is too large: 0 is used", master_shown(t, shown));
		ttl = 0;
	}
	*out = ttl;
	return OK;
}

/* True for "IN", which is nearly every class. */
static bool
is_class_in(const struct lex_token *t)
{
	return t->len == 2 && (t->s[0] | 0x20) == 'i' && (t->s[1] | 0x20) == 'n';
}

static err_t
check_class(struct master *m, const struct lex_token *t, uint16_t rrclass)
{
	char shown[MASTER_SHOWN_MAX];
	if (rrclass != CLASS_IN) {
		return master_error(m, t, "bad-class", "only class IN is served", "class %s is not IN",
		                    master_shown(t, shown));
	}
	return OK;
}

/* RFC 6895 3.1: type 0 is reserved, 128 to 255 are for queries and meta types. */
static err_t
check_type(struct master *m, const struct lex_token *t, uint16_t type)
{
	char shown[MASTER_SHOWN_MAX];
	if (type == 0 || (type >= 128 && type <= 255) || (rrtype_flags(type) & RRTYPE_META) != 0) {
		return master_error(m, t, "meta-type", "", "type %s cannot be in a zone",
		                    master_shown(t, shown));
	}
	return OK;
}

/* Reports a token in the place of TTL, class or type that is none of them. */
static err_t
no_type(struct master *m, const struct lex_token *t)
{
	char shown[MASTER_SHOWN_MAX];
	switch (t->kind) {
	case LEX_ERROR:
		return master_lex_error(m, t);
	case LEX_QUOTED:
		return master_error(m, t, "unknown-type", "write the type without quotes",
		                    "expected a record type, not the string \"%s\"", master_shown(t, shown));
	default:
		return master_error(m, t, "no-type", "a record is: owner [TTL] [class] type data",
		                    "the line ends before the record's type");
	}
}

err_t
master_read_head(struct master *m, struct master_head *h)
{
	h->has_ttl = h->has_class = false;
	for (;;) {
		struct lex_token *t = &h->t;
		uint16_t rrclass = CLASS_IN;
		if (t->kind != LEX_WORD) {
			return no_type(m, t);
		}
		if (is_digit(t->s[0]) && !h->has_ttl) {
			err_t err = master_read_ttl(m, t, &h->ttl);
			if (err != OK) {
				return err == E_UNSUPPORTED ? master_unknown_type(m, t, false) : err;
			}
			h->has_ttl = true;
		} else if (!h->has_class && is_class_in(t)) {
			h->has_class = true;
		} else if (rrtype_parse(t->s, t->len, &h->type) == OK) {
			return check_type(m, t, h->type);
		} else if (!h->has_class && rrclass_parse(t->s, t->len, &rrclass) == OK) {
			TRY(check_class(m, t, rrclass));
			h->has_class = true;
		} else {
			return master_unknown_type(m, t, h->has_ttl);
		}
		lex_next(&m->lx, t);
	}
}

/* The TTL of a record without TTL and $TTL.  RFC 2308 4 forbids such records, RFC 1035 5.1 gives them the last TTL, and BIND
 * begins with the SOA's minimum. */
static err_t
guess_ttl(struct master *m, const struct master_head *h, uint32_t *out)
{
	struct soa soa;
	if (m->has_last_ttl) {
		if (!m->warned_last_ttl) {
			m->warned_last_ttl = true;
			master_warn(m, &h->t, "previous-ttl", "begin the file with a line such as: $TTL 3600",
			            "no TTL and no $TTL: the TTL of the record before is used, %u", m->last_ttl);
		}
		*out = m->last_ttl;
		return OK;
	}
	m->has_default_ttl = true; /* even after an error, so that it is reported once only */
	m->default_ttl = 0;
	if (h->type != TYPE_SOA || rdata_read_soa(m->rdata.base, m->rdata.len, &soa) != OK) {
		return master_error(m, &h->t, "no-ttl", "begin the file with a line such as: $TTL 3600",
		                    "no TTL, and no $TTL before");
	}
	m->default_ttl = soa.minimum_s <= DNS_TTL_MAX ? soa.minimum_s : 0;
	master_warn(m, &h->t, "soa-ttl", "begin the file with a line such as: $TTL 3600",
	            "no TTL and no $TTL: the SOA's minimum is used, %u", m->default_ttl);
	*out = m->default_ttl;
	return OK;
}

err_t
master_settle_ttl(struct master *m, const struct master_head *h, uint32_t *out)
{
	if (h->has_ttl) {
		*out = m->last_ttl = h->ttl;
		m->has_last_ttl = true;
		return OK;
	}
	if (m->has_default_ttl) {
		*out = m->default_ttl;
		return OK;
	}
	return guess_ttl(m, h, out);
}

err_t
master_give(struct master *m, const struct lex_token *t, const struct master_rr *rr)
{
	if (m->r->drops_outside && !name_is_within(rr->owner, m->r->apex)) {
		char owner[NAME_TEXT_MAX], apex[NAME_TEXT_MAX];
		name_print(rr->owner, owner);
		name_print(m->r->apex, apex);
		master_warn(m, t, "out-of-zone", "a record belongs in the zone that its name is in",
		            "%.200s is not in the zone %.200s: it is dropped", owner, apex);
		return m->stop;
	}
	m->counts.records++;
	m->stop = m->r->record(m->r->ctx, rr);
	return m->stop;
}

static err_t
read_rdata(struct master *m, const struct master_head *h)
{
	struct rdata_error why;
	buf_rewind(&m->rdata, 0);
	if (rdata_parse(&m->lx, h->type, m->origin.oct, &m->rdata, &why) == OK) {
		return OK;
	}
	if (why.token.kind == LEX_ERROR) {
		return master_lex_error(m, &why.token);
	}
	return master_error(m, &why.token, "bad-rdata", why.hint, "%s", why.text);
}

/* Reads a record; its first token `t` is an owner or LEX_BLANK. */
static err_t
read_record(struct master *m, const struct lex_token *t)
{
	struct master_head h;
	struct master_rr rr;
	bool is_inherited = t->kind == LEX_BLANK;
	rr.begin = (size_t)(m->lx.record_at - m->lx.text);
	rr.line = m->lx.record_line;
	rr.col = 1; /* even if there are only parentheses on the first line */
	if (t->line == rr.line) {
		rr.col += (uint32_t)(t->s + (is_inherited ? t->len : 0) - m->lx.line_start);
	}

	lex_next(&m->lx, &h.t);
	if (is_inherited) {
		if (h.t.kind == LEX_EOL) {
			return OK; /* only parentheses */
		}
		TRY(inherit_owner(m, &h.t));
	} else {
		read_owner(m, t);
	}
	TRY(master_read_head(m, &h));
	TRY(read_rdata(m, &h));
	master_note_ttl(m, &rr);
	TRY(master_settle_ttl(m, &h, &rr.ttl));

	rr.owner = m->owner.oct;
	rr.type = h.type;
	rr.rrclass = CLASS_IN;
	rr.rdlen = (uint16_t)m->rdata.len;
	rr.rdata = m->rdata.base;
	rr.flags = (is_inherited ? MASTER_OWNER_INHERITED : 0u) | (h.has_ttl ? MASTER_TTL_GIVEN : 0u) |
	           (h.has_class ? MASTER_CLASS_GIVEN : 0u) | master_marks(m);
	rr.origin = m->origin.oct;
	rr.file = m->frame->file;
	rr.last_line = master_last_line(m);
	rr.end = (size_t)(m->lx.at - m->lx.text);
	rr.text = m->lx.text;
	if (m->owner_is_bad) {
		m->counts.records++;
		return m->stop;
	}
	return master_give(m, is_inherited ? &h.t : t, &rr);
}

static err_t
read_line(struct master *m, const struct lex_token *t)
{
	switch (t->kind) {
	case LEX_WORD:
	case LEX_QUOTED:
		if (t->len != 0 && t->s[0] == '$') {
			return master_directive(m, t);
		}
		return read_record(m, t);
	case LEX_BLANK:
		return read_record(m, t);
	case LEX_ERROR:
		return master_lex_error(m, t);
	default:
		return OK;
	}
}

err_t
master_read_text(struct master *m, const char *text, size_t len)
{
	struct lex_token t;
	lex_init(&m->lx, text, len);
	for (;;) {
		lex_next(&m->lx, &t);
		if (t.kind == LEX_EOF) {
			return OK;
		}
		if (read_line(m, &t) != OK) {
			TRY(m->stop);
			lex_skip_line(&m->lx);
		}
	}
}

err_t
master_read(const struct master_reader *r, const char *text, size_t len, struct master_counts *out)
{
	struct master_frame frame = { .file = r->file != NULL ? r->file : "" };
	struct master *m = try_alloc(sizeof *m);
	*out = (struct master_counts){ 0 };
	if (m == NULL) {
		return E_NOMEM;
	}
	m->r = r;
	m->frame = &frame;
	m->rdata = buf_over(m->rdata_octets, sizeof m->rdata_octets);
	name_set(&m->origin, r->apex);
	m->has_default_ttl = r->has_default_ttl;
	m->default_ttl = r->default_ttl;
	err_t err = master_read_text(m, text, len);
	if (err == OK && m->counts.errors != 0) {
		err = E_FORMAT;
	}
	*out = m->counts;
	free(m);
	return err;
}
