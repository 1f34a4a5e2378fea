/* Writes questions, and recognises the answers to them. */
#include <stdio.h>
#include <string.h>

#include "auth/follower_p.h"
#include "base/buf.h"
#include "dns/ede.h"
#include "dns/rdata.h"
#include "dns/request.h"
#include "dns/rrtype.h"
#include "zone/zone.h"

enum { POINTER = 0xC000, NSCOUNT_AT = 8, SECTION_ANSWER = 1 };

static uint16_t
type_of(const struct ask *a)
{
	return a->query == QUERY_SERIAL ? TYPE_SOA : a->query == QUERY_CHANGES ? TYPE_IXFR : TYPE_AXFR;
}

static const uint8_t *
name_of(const struct ask *a)
{
	return a->zone != NULL ? a->zone->apex : a->source->at.domain;
}

/* The version that we have (RFC 1995 3). */
static void
put_version(struct buf *b, const struct zone *version)
{
	const struct rr *rr = rrset_first(version->soa);
	buf_u16(b, POINTER | DNS_HEADER_LEN);
	buf_put(b, version->soa->fixed, sizeof version->soa->fixed);
	buf_u16(b, rr->rdlen);
	buf_put(b, rr->rdata, rr->rdlen);
	buf_patch_u16(b, NSCOUNT_AT, 1);
}

err_t
ask_write(struct ask *a, bool is_datagram, uint64_t wall_s, uint8_t out[FOLLOWER_QUERY_MAX], size_t *len)
{
	struct buf b = buf_over(out, FOLLOWER_QUERY_MAX);
	request_begin(&b, a->id, 0, &(struct question){ name_of(a), type_of(a), CLASS_IN });
	if (a->query == QUERY_CHANGES) {
		put_version(&b, a->zone->version);
	}
	if (is_datagram) {
		request_put_edns(&b);
	} else {
		request_put_keepalive(&b);
	}
	ASSERT(b.err == OK);
	*len = b.len;
	return tsig_sign_request(&a->tsig, out, len, FOLLOWER_QUERY_MAX, wall_s);
}

/* The question may be missing in later messages of a transfer (RFC 5936 2.2.1), and in errors. */
bool
ask_is_answered_by(const struct ask *a, const struct msg *m)
{
	if ((m->bits & DNS_QR) == 0 || msg_opcode(m) != OPCODE_QUERY) {
		return false;
	}
	if (m->count[0] == 0) {
		return answer_rcode(m) != RCODE_NOERROR || (a->in != NULL && incoming_report(a->in)->messages != 0);
	}
	return m->count[0] == 1 && m->qtype == type_of(a) && m->qclass == CLASS_IN && name_is_equal(m->qname.oct, name_of(a));
}

err_t
answer_read_serial(const struct msg *m, const uint8_t *owner, uint32_t *serial)
{
	struct cur c = cur_over(m->wire, m->len);
	c.pos = m->rr_at[SECTION_ANSWER];
	for (unsigned i = 0; i < m->count[SECTION_ANSWER]; i++) {
		struct name name;
		struct msg_rr rr;
		TRY(msg_read_rr(&c, &name, &rr));
		if (rr.type == TYPE_SOA && rr.rrclass == CLASS_IN && name_is_equal(name.oct, owner)) {
			uint8_t octets[2 * NAME_WIRE_MAX + 20];
			struct buf rdata = buf_over(octets, sizeof octets);
			struct soa soa;
			struct cur at = cur_over(m->wire, m->len);
			at.pos = rr.rdata_at;
			TRY(rdata_read(&at, TYPE_SOA, rr.rdlength, &rdata));
			TRY(rdata_read_soa(octets, rdata.len, &soa));
			*serial = soa.serial;
			return OK;
		}
	}
	return E_NOTFOUND;
}

void
follow_notice_read(struct follow_notice *n, const uint8_t *bytes, size_t len)
{
	struct msg m;
	n->has_serial = msg_parse(bytes, len, &m) == OK && answer_read_serial(&m, n->zone.oct, &n->serial) == OK;
}

/* ---- reasons ---- */

void
answer_why_refused(const struct msg *m, char out[WHY_MAX])
{
	char rcode[RRTYPE_TEXT_MAX], ede[EDE_TEXT_MAX];
	(void)ede_print(&m->edns, ede);
	(void)snprintf(out, WHY_MAX, "the primary answers %s%s%.300s", rcode_print(answer_rcode(m), false, rcode),
	               ede[0] != '\0' ? ": " : "", ede);
}

void
answer_why_unsigned(const struct tsig *t, err_t err, const struct msg *m, char out[WHY_MAX])
{
	char text[RRTYPE_TEXT_MAX];
	if (err == E_AUTH && t->is_peer_error) {
		const char *hint = t->error == RCODE_BADKEY    ? ": it has no such key"
		                   : t->error == RCODE_BADTIME ? ": the clocks differ"
		                                               : ": it has another secret, or another algorithm";
		(void)snprintf(out, WHY_MAX, "the primary does not accept our signature (%s%s)", rcode_print(t->error, true, text), hint);
	} else if (err == E_AUTH) {
		(void)snprintf(out, WHY_MAX, "the signature of the answer is wrong (%s)", rcode_print(t->error, true, text));
	} else if (err == E_NOTFOUND) {
		(void)snprintf(out, WHY_MAX, "the answer is not signed (%s)", rcode_print(answer_rcode(m), false, text));
	} else {
		(void)snprintf(out, WHY_MAX, "the signature of the answer is malformed");
	}
}
