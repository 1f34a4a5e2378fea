#include "bin/ocertify_dns.h"

#include <string.h>

#include "acme/remark.h"
#include "bin/clean.h"
#include "base/enc.h"
#include "crypto/sha.h"
#include "dns/rrtype.h"
#include "net/ask_zone.h"

enum {
	UDP_TRIES = 2,
	UDP_FIRST_MS = 1000,
	TCP_MS = 5000,
	UPDATE_MS = 60000,           /* the primary answers when its git server has the commit */
	TTL = 3600,
	STATUS_MAX = 1024,           /* octets of a status that are shown */
	PREREQUISITES_AT = 6,        /* RFC 2136 2: where the header has the counts */
	CHANGES_AT = 8,
};

static const struct client_patience for_query = { .udp_tries = UDP_TRIES, .udp_first_ms = UDP_FIRST_MS, .tcp_ms = TCP_MS };

err_t
ocertify_dns_init(struct ocertify_dns *d, const uint8_t *host)
{
	TRY(acme_tlsa_name(host, &d->tlsa));
	return acme_status_name(host, &d->status);
}

/* ---- queries ---- */

/* The message that was written into d->wire is the next one to be sent. */
static void
prepare(struct ocertify_dns *d, size_t len)
{
	d->asked.request = (struct signed_request){
		.wire = d->wire, .len = len, .cap = sizeof d->wire, .answer = d->answer, .key = d->asked.request.key,
	};
}

static err_t
ask(struct ocertify_dns *d, const uint8_t *name, uint16_t type)
{
	struct buf b = buf_over(d->wire, sizeof d->wire);
	client_begin_request(&b, 0, &(struct question){ name, type, CLASS_IN });
	request_put_edns(&b);
	prepare(d, b.len);
	TRY(signed_ask(&d->asked.request, d->to, &for_query));
	d->asked.server = d->asked.request.result.from->text;
	return OK;
}

static bool
has_answer(const struct signed_request *r)
{
	return r->outcome == SIGNED_ACCEPTED || (r->outcome == SIGNED_REFUSED && r->rcode == RCODE_NXDOMAIN);
}

static void
explain_answer(const struct ocertify_dns *d)
{
	const struct signed_request *r = &d->asked.request;
	char rcode[RRTYPE_TEXT_MAX];
	if (!signed_is_refusal(r)) {
		cli_signed_explain(&d->asked);
		return;
	}
	cli_error("%s: %s answers %s%s%s to the question for the TLSA records", d->asked.subject, d->asked.server,
	          rcode_print(r->rcode, false, rcode), r->ede[0] != '\0' ? ": " : "", r->ede);
	cli_hint("is this the primary or a secondary of a zone that has %s?", d->asked.subject);
}

/* Calls `each` with the RDATA of every record of this name and type in the answer. */
static void
each_record(const struct ocertify_dns *d, const uint8_t *name, uint16_t type, void (*each)(void *, const uint8_t *, size_t), void *ctx)
{
	struct msg m;
	struct name owner;
	struct msg_rr rr;
	if (d->asked.request.outcome != SIGNED_ACCEPTED || msg_parse(d->answer, d->asked.request.answer_len, &m) != OK) {
		return;
	}
	struct cur c = cur_over(m.wire, m.len);
	c.pos = m.rr_at[1];
	for (unsigned i = 0; i < m.count[1] && msg_read_rr(&c, &owner, &rr) == OK; i++) {
		if (rr.type == type && rr.rrclass == CLASS_IN && name_is_equal(owner.oct, name)) {
			each(ctx, m.wire + rr.rdata_at, rr.rdlength);
		}
	}
}

static void
add(void *ctx, const uint8_t *rdata, size_t len)
{
	acme_set_add(ctx, rdata, len);
}

void
ocertify_dns_explain_look(const struct ocertify_dns *d, err_t err)
{
	if (err == E_AUTH) {
		explain_answer(d);
	} else {
		cli_signed_explain_silence(&d->asked, err);
	}
}

err_t
ocertify_dns_look(struct ocertify_dns *d, struct acme_set *out)
{
	*out = (struct acme_set){ 0 };
	TRY(ask(d, d->tlsa.oct, TYPE_TLSA));
	if (!has_answer(&d->asked.request)) {
		return E_AUTH;
	}
	each_record(d, d->tlsa.oct, TYPE_TLSA, add, out);
	return OK;
}

struct status {
	struct str *out;
	char request[REMARK_HASH_LEN + 1]; /* that is asked about */
};

/* Not where a proof is, nor which TLSA records are oacme's, nor what became of an earlier request. */
static bool
is_of_interest(const struct status *s, const uint8_t *rdata, size_t len)
{
	struct remark r;
	return remark_read(rdata, len, &r) != OK || (r.kind == REMARK_FAILED && strcmp(r.request, s->request) == 0);
}

/* Appends the strings of a TXT record (RFC 1035 3.3.14). */
static void
put_text(void *ctx, const uint8_t *rdata, size_t len)
{
	const struct status *s = ctx;
	struct cur c = cur_over(rdata, len);
	const char *between = s->out->len != 0 ? "; " : "";
	while (is_of_interest(s, rdata, len) && cur_left(&c) != 0 && s->out->len < STATUS_MAX) {
		size_t n = cur_u8(&c);
		const uint8_t *text = cur_take(&c, n);
		if (text != NULL) {
			str_cat(s->out, between);
			clean_put_octets(s->out, (const char *)text, n);
		}
		between = " ";
	}
}

static const uint8_t request_head[ACME_DER_AT] = { 3, 255, 0 };

err_t
ocertify_dns_status(struct ocertify_dns *d, const struct csr *request, struct str *out)
{
	struct status s = { .out = out };
	uint8_t hash[32];
	char text[ENC_BASE16_LEN(sizeof hash)];
	str_clear(out);
	TRY(sha256(request_head, sizeof request_head, request->der, request->der_len, hash));
	(void)base16_encode(hash, sizeof hash, text);
	memcpy(s.request, text, REMARK_HASH_LEN);
	TRY(ask(d, d->status.oct, TYPE_TXT));
	each_record(d, d->status.oct, TYPE_TXT, put_text, &s);
	return OK;
}

/* ---- the UPDATE ---- */

/* The zone as the server has it; without its answer, the domain in the key's name. */
static err_t
find_zone(struct ocertify_dns *d, struct name *out)
{
	struct signed_request query = { .key = &d->asked.key };
	struct key k = { 0 };
	if (ask_zone(&query, d->to, &for_query, d->tlsa.oct, out) == OK) {
		return OK;
	}
	if (key_name_read(d->asked.key.name.oct, &k) == OK && !name_is_root(k.domain.oct) && name_is_within(d->tlsa.oct, k.domain.oct)) {
		name_set(out, k.domain.oct);
		return OK;
	}
	cli_error("%s: the server names no zone that has this name", d->asked.subject);
	cli_hint("is it the primary of that zone?");
	return E_NOTFOUND;
}

static void
put_record(struct buf *b, const uint8_t *name, uint16_t type, uint16_t rrclass, uint32_t ttl)
{
	buf_put(b, name, name_len(name));
	buf_u16(b, type);
	buf_u16(b, rrclass);
	buf_u32(b, ttl);
}

/* A server silently passes over a record beside a CNAME (RFC 2136 3.4.2.2), so an error is asked for. */
static void
put_update(struct ocertify_dns *d, struct buf *b, const uint8_t *zone, const struct csr *request)
{
	client_begin_request(b, OPCODE_UPDATE << 11, &(struct question){ zone, TYPE_SOA, CLASS_IN });
	put_record(b, d->tlsa.oct, TYPE_CNAME, CLASS_NONE, 0);
	buf_u16(b, 0);
	put_record(b, d->tlsa.oct, TYPE_TLSA, CLASS_ANY, 0);
	buf_u16(b, 0);
	put_record(b, d->tlsa.oct, TYPE_TLSA, CLASS_IN, TTL);
	buf_u16(b, (uint16_t)(sizeof request_head + request->der_len));
	buf_put(b, request_head, sizeof request_head);
	buf_put(b, request->der, request->der_len);
	buf_patch_u16(b, PREREQUISITES_AT, 1);
	buf_patch_u16(b, CHANGES_AT, 2);
	request_put_edns(b);
}

static void
explain_rcode(const struct ocertify_dns *d, const uint8_t *zone)
{
	char text[NAME_TEXT_MAX];
	switch (d->asked.request.rcode) {
	case RCODE_REFUSED:
		(void)name_show(d->tlsa.oct, text);
		cli_signed_explain_rights(&d->asked, RIGHT_UPDATE, zone);
		cli_hint("the least key for this is named ANYTHING._tlsa._update.%s", text);
		break;
	case RCODE_NOTAUTH:
		cli_signed_hint_unknown_key(&d->asked);
		(void)name_show(zone, text);
		cli_hint("this server is not the primary of the zone %s: ask another server", text);
		break;
	case RCODE_YXRRSET:
		(void)name_show(d->tlsa.oct, text);
		cli_hint("%s has a CNAME, and nothing can stand beside it", text);
		break;
	case RCODE_SERVFAIL:
		cli_hint("Origin's primary answers so while its git remote cannot be reached: try again later");
		break;
	default:
		cli_hint("the server's log says why");
		break;
	}
}

static err_t
judge(const struct ocertify_dns *d, const uint8_t *zone)
{
	const struct signed_request *r = &d->asked.request;
	char rcode[RRTYPE_TEXT_MAX];
	if (r->outcome == SIGNED_ACCEPTED) {
		return OK;
	}
	if (!signed_is_refusal(r)) {
		cli_signed_explain(&d->asked);
		return E_AUTH;
	}
	cli_error("%s: %s does not take the request: %s%s%s%s", d->asked.subject, d->asked.server, rcode_print(r->rcode, false, rcode),
	          r->outcome == SIGNED_UNSIGNED ? ", unsigned" : "", r->ede[0] != '\0' ? ": " : "", r->ede);
	explain_rcode(d, zone);
	return r->rcode == RCODE_SERVFAIL ? E_IO : E_REFUSED;
}

/* An answer that says no is taken for what it says, also where it could be forged: at worst there is one request more. */
static bool
may_be_done(const struct signed_request *r, err_t err)
{
	if (err != OK) {
		return err != E_REFUSED; /* a connection that is refused has taken nothing */
	}
	return !(r->outcome == SIGNED_TSIG_REFUSED || (signed_is_refusal(r) && r->rcode != RCODE_SERVFAIL));
}

err_t
ocertify_dns_request(struct ocertify_dns *d, const struct csr *request, bool *is_in_doubt)
{
	static const struct client_patience patience = { .tcp_ms = UPDATE_MS };
	struct buf b = buf_over(d->wire, sizeof d->wire);
	struct name zone;
	*is_in_doubt = false;
	TRY(find_zone(d, &zone));
	put_update(d, &b, zone.oct, request);
	TRY(b.err);
	prepare(d, b.len);
	err_t err = cli_signed_ask(&d->asked, d->to, &patience);
	*is_in_doubt = may_be_done(&d->asked.request, err);
	return err == OK ? judge(d, zone.oct) : err == E_REFUSED ? E_IO : err; /* a connection that is refused is no refusal */
}
