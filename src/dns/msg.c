#include "dns/msg.h"

#include <string.h>

#include "base/number.h"
#include "dns/rrtype.h"

enum { QUESTION, ANSWER, AUTHORITY, ADDITIONAL };

enum {
	QUESTION_FIXED_LEN = 4, /* type, class */
	OPTION_FIXED_LEN = 4,   /* code, length */
};

/* Offset after the first question; 0: it is malformed.  Its name cannot be compressed, since only the header is before it, so it
 * is copied in one piece. */
static size_t
read_first_question(const uint8_t *wire, size_t len, struct msg *out)
{
	const size_t longest = DNS_HEADER_LEN + NAME_WIRE_MAX;
	size_t end = len < longest ? len : longest;
	size_t at = DNS_HEADER_LEN;
	while (at < end && wire[at] != 0) {
		if (wire[at] > LABEL_MAX) {
			return 0;
		}
		at += 1u + wire[at];
	}
	if (at >= end || len - at < 1 + QUESTION_FIXED_LEN) {
		return 0;
	}
	at++;
	out->qname.len = (uint8_t)(at - DNS_HEADER_LEN);
	memcpy(out->qname.oct, wire + DNS_HEADER_LEN, at - DNS_HEADER_LEN);
	out->qtype = u16_at(wire + at);
	out->qclass = u16_at(wire + at + 2);
	return at + QUESTION_FIXED_LEN;
}

/* Offset after the name at `at`; 0: it is malformed.  A pointer must lead backwards, to after the header; its target is checked
 * when the name is read.  So the walk is linear, however pointers are nested. */
static size_t
skip_name(const uint8_t *wire, size_t len, size_t at)
{
	size_t start = at;
	while (at < len && at - start < NAME_WIRE_MAX) {
		uint8_t l = wire[at];
		if (l == 0) {
			return at + 1;
		}
		if ((l & 0xC0) == 0xC0) {
			if (len - at < 2) {
				return 0;
			}
			size_t to = u16_at(wire + at) & 0x3FFFu;
			return to >= DNS_HEADER_LEN && to < start ? at + 2 : 0;
		}
		if (l > LABEL_MAX) {
			return 0;
		}
		at += 1u + l;
	}
	return 0;
}

/* Offset after the RR at `at`; 0: it is malformed. */
static size_t
skip_rr(const uint8_t *wire, size_t len, size_t at, struct msg_rr *out)
{
	size_t fixed = at < len && wire[at] == 0 ? at + 1 : skip_name(wire, len, at); /* the root: an OPT */
	if (fixed == 0 || len - fixed < RR_FIXED_LEN) {
		return 0;
	}
	*out = (struct msg_rr){
		.at = at,
		.type = u16_at(wire + fixed),
		.rrclass = u16_at(wire + fixed + 2),
		.ttl = u32_at(wire + fixed + 4),
		.rdlength = u16_at(wire + fixed + 8),
		.rdata_at = fixed + RR_FIXED_LEN,
	};
	return out->rdlength <= len - out->rdata_at ? out->rdata_at + out->rdlength : 0;
}

static void
note_option(struct edns *e, uint16_t code, const uint8_t *data, size_t len)
{
	e->wants_nsid |= code == EDNS_OPT_NSID;
	e->wants_keepalive |= code == EDNS_OPT_KEEPALIVE && len == 0;
	if (code == EDNS_OPT_KEEPALIVE && len == 2) {
		e->has_idle = true;
		e->idle_100ms = u16_at(data);
	}
	e->wants_zoneversion |= code == EDNS_OPT_ZONEVERSION;
	if (code == EDNS_OPT_COOKIE && e->cookie == NULL) { /* only the first one counts (RFC 7873 5.2) */
		e->cookie = data;
		e->cookie_len = (uint16_t)len;
	}
}

/* Reads an OPT, whose fixed fields have other meanings than those of other RRs (RFC 6891 6.1.2, 6.1.3). */
static err_t
read_opt(const uint8_t *wire, const struct msg_rr *rr, struct edns *out)
{
	if (out->present || wire[rr->at] != 0) {
		return E_FORMAT; /* a second OPT, or its owner is not the root */
	}
	out->present = true;
	out->udp_size = rr->rrclass > DNS_UDP_PLAIN_MAX ? rr->rrclass : DNS_UDP_PLAIN_MAX;
	out->ext_rcode = (uint8_t)(rr->ttl >> 24);
	out->version = (uint8_t)(rr->ttl >> 16);
	out->flags = (uint16_t)rr->ttl;
	out->options = wire + rr->rdata_at;
	out->options_len = rr->rdlength;
	if (out->version != 0) {
		return OK; /* BADVERS; the form of its RDATA is not known */
	}
	const uint8_t *p = out->options;
	for (size_t left = rr->rdlength; left != 0;) {
		if (left < OPTION_FIXED_LEN || u16_at(p + 2) > left - OPTION_FIXED_LEN) {
			return E_FORMAT;
		}
		uint16_t len = u16_at(p + 2);
		note_option(out, u16_at(p), p + OPTION_FIXED_LEN, len);
		p += OPTION_FIXED_LEN + len;
		left -= OPTION_FIXED_LEN + (size_t)len;
	}
	return OK;
}

bool
edns_next_option(const struct edns *e, size_t *at, struct edns_option *out)
{
	if (!e->present || e->version != 0 || *at >= e->options_len) {
		return false;
	}
	const uint8_t *p = e->options + *at;
	*out = (struct edns_option){ .code = u16_at(p), .len = u16_at(p + 2), .data = p + OPTION_FIXED_LEN };
	*at += OPTION_FIXED_LEN + (size_t)out->len;
	return true;
}

/* Walks over the records of one section; *at moves from its start to its end. */
static err_t
walk_section(struct msg *m, int section, size_t *at)
{
	m->rr_at[section] = *at;
	for (unsigned left = m->count[section]; left != 0; left--) {
		struct msg_rr rr;
		*at = skip_rr(m->wire, m->len, *at, &rr);
		if (*at == 0) {
			return E_FORMAT;
		}
		if (rr.type == TYPE_OPT) {
			if (section != ADDITIONAL) {
				return E_FORMAT;
			}
			TRY(read_opt(m->wire, &rr, &m->edns));
		} else if (rr.type == TYPE_TSIG) {
			if (section != ADDITIONAL || left != 1) {
				return E_FORMAT; /* RFC 8945 5.2 */
			}
			m->has_tsig = true;
			m->tsig = rr;
		}
	}
	return OK;
}

static err_t
walk_questions(struct msg *m, size_t *at)
{
	if (m->count[QUESTION] == 0) {
		return OK;
	}
	size_t end = read_first_question(m->wire, m->len, m);
	if (end == 0) {
		return E_FORMAT;
	}
	m->question_end = end;
	for (unsigned left = m->count[QUESTION] - 1u; left != 0; left--) {
		end = skip_name(m->wire, m->len, end);
		if (end == 0 || m->len - end < QUESTION_FIXED_LEN) {
			return E_FORMAT;
		}
		end += QUESTION_FIXED_LEN;
	}
	*at = end;
	return OK;
}

/* Sets all fields, except the octets of qname and tsig, which only matter after something was read into them. */
static void
read_header(const uint8_t *wire, size_t len, struct msg *out)
{
	out->wire = wire;
	out->len = len;
	out->id = u16_at(wire);
	out->bits = u16_at(wire + 2);
	out->count[QUESTION] = u16_at(wire + 4);
	out->count[ANSWER] = u16_at(wire + 6);
	out->count[AUTHORITY] = u16_at(wire + 8);
	out->count[ADDITIONAL] = u16_at(wire + 10);
	out->qname.len = 1;
	out->qname.oct[0] = 0;
	out->qtype = out->qclass = 0;
	out->question_end = DNS_HEADER_LEN;
	out->edns = (struct edns){ 0 };
	out->has_tsig = false;
}

err_t
msg_parse(const uint8_t *wire, size_t len, struct msg *out)
{
	if (len < DNS_HEADER_LEN) {
		return E_SHORT;
	}
	read_header(wire, len, out);
	size_t at = DNS_HEADER_LEN;
	TRY(walk_questions(out, &at));
	out->rr_at[ANSWER] = out->rr_at[AUTHORITY] = at;
	if ((out->count[ANSWER] | out->count[AUTHORITY]) != 0) { /* in queries both are empty, except in IXFR */
		TRY(walk_section(out, ANSWER, &at));
		TRY(walk_section(out, AUTHORITY, &at));
	}
	TRY(walk_section(out, ADDITIONAL, &at));
	return at == len ? OK : E_FORMAT;
}

err_t
msg_read_rr(struct cur *c, struct name *owner, struct msg_rr *out)
{
	struct msg_rr rr = { .at = c->pos };
	struct name n;
	name_read(c, &n);
	rr.type = cur_u16(c);
	rr.rrclass = cur_u16(c);
	rr.ttl = cur_u32(c);
	rr.rdlength = cur_u16(c);
	rr.rdata_at = c->pos;
	(void)cur_take(c, rr.rdlength);
	if (c->err == OK) {
		name_set(owner, n.oct);
		*out = rr;
	}
	return c->err;
}
