#include "auth/server.h"

#include <string.h>

#include "auth/access.h"
#include "auth/answer.h"
#include "auth/cookies.h"
#include "auth/forward.h"
#include "auth/limit.h"
#include "auth/notify.h"
#include "auth/opt.h"
#include "auth/request.h"
#include "auth/status.h"
#include "auth/transfer.h"
#include "auth/update.h"
#include "base/number.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "zone/zone.h"

static size_t
tsig_len(const struct request *q)
{
	return q->m.has_tsig && q->is_tsig_read ? tsig_response_len(&q->tsig) : 0;
}

/* Reserves room for OPT and TSIG; the rest is for records. */
static void
set_room(struct request *q)
{
	size_t reserve = tsig_len(q) + (q->m.edns.present ? opt_room(q) : 0);
	q->r.cap = q->limit > q->r.len + reserve ? q->limit - reserve : q->r.len;
}

static size_t
response_limit(const struct request *q, size_t cap)
{
	size_t limit = DNS_MSG_MAX;
	if (q->peer->transport == TRANSPORT_UDP) {
		limit = DNS_UDP_PLAIN_MAX;
		if (q->m.edns.present && q->m.edns.udp_size > limit) {
			limit = q->m.edns.udp_size < q->conf->udp_max ? q->m.edns.udp_size : q->conf->udp_max;
		}
	}
	return limit < cap ? limit : cap;
}

static void
put_header(struct request *q)
{
	const uint16_t *n = q->r.count;
	uint16_t bits = (uint16_t)(DNS_QR | (q->m.bits & (DNS_OPCODE | DNS_RD | DNS_CD)) | (q->rcode & DNS_RCODE));
	bits |= q->is_authoritative ? DNS_AA : 0;
	bits |= q->r.is_truncated ? DNS_TC : 0;
	uint8_t *p = u16_put(q->r.wire, q->m.id);
	p = u16_put(p, bits);
	p = u16_put(p, q->has_question);
	p = u16_put(p, n[SECTION_ANSWER]);
	p = u16_put(p, n[SECTION_AUTHORITY]);
	u16_put(p, (size_t)n[SECTION_ADDITIONAL] + q->m.edns.present);
}

/* Copies the question with its upper and lower case. */
static void
put_question(struct request *q)
{
	size_t len = q->m.question_end - DNS_HEADER_LEN;
	q->r.len = DNS_HEADER_LEN;
	if (len != 0) {
		memcpy(q->r.wire + DNS_HEADER_LEN, q->m.wire + DNS_HEADER_LEN, len);
		q->r.len += len;
		q->has_question = true;
	}
}

static size_t
finish(struct request *q, size_t cap)
{
	if (q->m.edns.present) {
		opt_put(q, tsig_len(q));
	}
	put_header(q);
	if (q->m.has_tsig && q->is_tsig_read) {
		err_t err = q->tsig.error != 0 ? tsig_sign_error(&q->tsig, q->r.wire, &q->r.len, cap, q->now_s)
		                               : tsig_sign_response(&q->tsig, q->r.wire, &q->r.len, cap, q->now_s);
		if (err != OK) {
			return 0; /* an answer that must be signed, but cannot be, is not sent */
		}
	}
	server_count(&q->stats->truncated, q->r.is_truncated);
	server_count(&q->stats->rcode[q->rcode < ARRAY_LEN(q->stats->rcode) ? q->rcode : 0], 1);
	return q->r.len;
}

/* CHAOS TXT: name and version of the server.  Answered only if the operator has set them. */
static const char *
chaos_text(const struct request *q)
{
	static const uint8_t version_bind[] = "\7version\4bind", version_server[] = "\7version\6server";
	static const uint8_t commit_server[] = "\6commit\6server";
	static const uint8_t id_server[] = "\2id\6server", hostname_bind[] = "\10hostname\4bind";
	const uint8_t *name = q->m.qname.oct;
	if (q->m.qtype != TYPE_TXT && q->m.qtype != TYPE_ANY) {
		return NULL;
	}
	if (name_is_equal(name, version_bind) || name_is_equal(name, version_server)) {
		return q->conf->version;
	}
	if (name_is_equal(name, commit_server)) {
		return q->conf->tells_commit && q->view->commit[0] != '\0' ? q->view->commit : NULL;
	}
	return name_is_equal(name, id_server) || name_is_equal(name, hostname_bind) ? q->conf->id : NULL;
}

static void
answer_chaos(struct request *q)
{
	const char *text = chaos_text(q);
	size_t len = text != NULL ? strlen(text) : 0;
	len = len > 255 ? 255 : len;
	if (text == NULL || q->r.cap - q->r.len < 13 + len) {
		q->rcode = RCODE_REFUSED;
		q->ede = EDE_PROHIBITED;
		return;
	}
	uint8_t *p = q->r.wire + q->r.len;
	p = u16_put(p, 0xC000u | DNS_HEADER_LEN);
	p = u16_put(p, TYPE_TXT);
	p = u16_put(p, CLASS_CH);
	p = u16_put(u16_put(p, 0), 0);
	p = u16_put(p, len + 1);
	*p++ = (uint8_t)len;
	memcpy(p, text, len);
	q->r.len = (size_t)(p - q->r.wire) + len;
	q->r.count[SECTION_ANSWER] = 1;
	q->is_authoritative = true;
}

/* False for types that have a meaning only in other sections, or for other servers (RFC 6895 3.1). */
static bool
is_askable(struct request *q)
{
	switch (q->m.qtype) {
	case 0:
	case TYPE_OPT:
	case TYPE_TSIG:
		q->rcode = RCODE_FORMERR;
		return false;
	case TYPE_TKEY:
	case TYPE_MAILA:
	case TYPE_MAILB:
		q->rcode = RCODE_NOTIMP;
		return false;
	default:
		return true;
	}
}

/* True when a secondary asks for the serial of a zone (RFC 1034 4.3.5): the key may transfer it. */
static bool
is_from_secondary(const struct request *q)
{
	return q->m.qtype == TYPE_SOA && access_by_key(q->view, q->key, RIGHT_TRANSFER, q->m.qname.oct);
}

/* The name of a zone, or the domain that the key is for: then the secondary hears of all zones there.  A key gives the right to ask for
 * any name below its domain.  If each of these were something to subscribe to, one client could subscribe without end. */
static bool
may_subscribe(const struct request *q, const struct answer *a)
{
	const uint8_t *name = q->m.qname.oct, *apex = a->zone != NULL ? a->zone->apex_name : a->shut != NULL ? a->shut->apex : NULL;
	return (apex != NULL && name_is_equal(apex, name)) || key_is_for(q->key, RIGHT_TRANSFER, name);
}

/* If the name is in no zone of ours, NOTAUTH tells a secondary more than REFUSED, which may have other reasons: it is the answer, also for
 * zones below the name.  As long as we do not know which these are, there is no answer. */
static void
take_secondary(struct request *q, const struct answer *a)
{
	if (may_subscribe(q, a)) {
		q->out->event = EVENT_SUBSCRIBED;
		q->out->zone = q->m.qname;
	}
	if (a->zone == NULL && a->shut == NULL) {
		bool is_unknown = view_may_have_unknown(q->view, q->m.qname.oct);
		q->rcode = is_unknown ? RCODE_SERVFAIL : RCODE_NOTAUTH;
		q->ede = is_unknown ? EDE_NOT_READY : q->ede;
	}
}

/* Answers SERVFAIL.  An answer over 65,535 octets cannot be sent at all: TC would make the client use TCP, which it does
 * already. */
static void
give_up(struct request *q)
{
	q->r.len = q->m.question_end;
	q->r.is_truncated = false;
	memset(q->r.count, 0, sizeof q->r.count);
	q->is_authoritative = false;
	q->rcode = RCODE_SERVFAIL;
}

static int
ede_of(const struct answer *a)
{
	return a->zone != NULL ? EDE_NONE : a->shut != NULL ? shut_zone_ede(a->shut) : EDE_NOT_AUTHORITATIVE;
}

/* Without any zone only a secondary's question is looked at: it must learn that its zone is gone, also when that was the last one; and
 * hear of those that come.  Until zones were read once nobody knows which names are ours. */
static bool
has_no_answers(const struct request *q)
{
	bool has_zones = q->view->zones.n != 0 || q->view->shut.n != 0;
	return !has_zones && !(q->view->is_ready && is_from_secondary(q));
}

static void
answer_internet(struct request *q)
{
	struct question question = {
		.name = q->m.qname.oct,
		.type = q->m.qtype,
		.is_dnssec_ok = (q->m.edns.flags & EDNS_DO) != 0,
		.transport = q->peer->transport,
		.is_axfr_open = q->conf->is_axfr_open,
		.key = q->key,
		.peer = q->peer,
	};
	struct answer answer;
	if (has_no_answers(q)) {
		q->rcode = q->view->is_ready ? RCODE_REFUSED : RCODE_SERVFAIL;
		q->ede = q->view->is_ready ? EDE_NOT_AUTHORITATIVE : EDE_NOT_READY;
		return;
	}
	answer_query(q->view, &question, &q->r, &answer);
	q->rcode = answer.rcode;
	q->is_authoritative = answer.is_authoritative;
	q->ede = ede_of(&answer);
	q->zone = answer.zone;
	q->kind = answer.kind;
	q->about = answer.about;
	if (answer.is_given_up || (q->r.is_truncated && q->peer->transport == TRANSPORT_TCP)) {
		give_up(q);
	}
	if (is_from_secondary(q)) {
		take_secondary(q, &answer);
	}
}

/* The client knows cookies, and has to show a good one before it gets an answer.  That costs it one more question (RFC 7873 5.2.3,
 * 5.2.4). */
static bool
lacks_cookie(const struct request *q)
{
	bool has_sent = q->cookie.state == COOKIE_NEW || q->cookie.state == COOKIE_BAD;
	return has_sent && q->conf->requires_cookie && q->peer->transport == TRANSPORT_UDP && q->key == NULL;
}

static void
handle_query(struct request *q)
{
	if (q->m.count[0] == 1) {
		server_count(&q->stats->types[server_type_slot(q->m.qtype)], 1);
	}
	if (q->m.count[0] == 0 && q->cookie.state != COOKIE_NONE) {
		q->rcode = q->cookie.state == COOKIE_BAD ? RCODE_BADCOOKIE : RCODE_NOERROR; /* only a cookie is wanted (RFC 7873 5.4) */
	} else if (q->m.count[0] != 1) {
		q->rcode = RCODE_FORMERR; /* RFC 9619 */
	} else if (lacks_cookie(q)) {
		q->rcode = RCODE_BADCOOKIE;
	} else if (!is_askable(q)) {
		return;
	} else if (q->m.qclass == CLASS_IN && (q->m.qtype == TYPE_AXFR || q->m.qtype == TYPE_IXFR)) {
		transfer_handle(q);
	} else if (q->m.qclass == CLASS_IN) {
		answer_internet(q);
	} else if (q->m.qclass == CLASS_CH) {
		if (!status_handle(q)) {
			answer_chaos(q);
		}
	} else {
		q->rcode = RCODE_REFUSED;
	}
}

static enum tsig_failure
tsig_failure_of(unsigned error)
{
	switch (error) {
	case RCODE_BADKEY:
		return TSIG_FAILURE_KEY;
	case RCODE_BADSIG:
		return TSIG_FAILURE_SIGNATURE;
	case RCODE_BADTIME:
		return TSIG_FAILURE_TIME;
	case RCODE_BADTRUNC:
		return TSIG_FAILURE_TRUNCATED;
	default:
		return TSIG_FAILURE_MALFORMED;
	}
}

static void
note_tsig_failure(struct request *q)
{
	static const char *const texts[TSIG_FAILURES] = {
		[TSIG_FAILURE_MALFORMED] = "malformed TSIG",
		[TSIG_FAILURE_KEY] = "BADKEY: no such key here",
		[TSIG_FAILURE_SIGNATURE] = "BADSIG: the signature does not match",
		[TSIG_FAILURE_TIME] = "BADTIME: the clocks differ by more than the fudge",
		[TSIG_FAILURE_TRUNCATED] = "BADTRUNC: the signature is cut too short",
	};
	enum tsig_failure what = tsig_failure_of(q->tsig.error);
	server_count(&q->stats->tsig_failures[what], 1);
	q->out->event = EVENT_TSIG_FAILED;
	q->out->why = texts[what];
	q->out->zone = q->m.qname;
	q->out->key.len = 0;
}

static void
note_use(const struct request *q)
{
	name_set(&q->out->key, q->key->tsig.name.oct);
	if (q->conf->uses != NULL) {
		key_uses_note(q->conf->uses, q->key->tsig.name.oct, q->now_s);
	}
}

/* Verifies the TSIG of a request that has one.  False: the answer is an error (RFC 8945 5.2). */
static bool
is_signature_good(struct request *q)
{
	if (!q->view->is_ready) { /* no keys yet, so this one may be good: after BADKEY the client would not try again */
		q->m.has_tsig = false;
		q->rcode = RCODE_SERVFAIL;
		q->ede = EDE_NOT_READY;
		return false;
	}
	err_t err = request_verify(q->view, &q->m, q->now_s, &q->tsig, &q->key);
	q->is_tsig_read = err == OK || err == E_AUTH;
	if (err == OK) {
		note_use(q);
		return true;
	}
	q->rcode = err == E_AUTH ? RCODE_NOTAUTH : RCODE_FORMERR;
	note_tsig_failure(q);
	if (err == E_AUTH) {
		name_set(&q->out->key, q->tsig.key_name.oct);
	}
	return false;
}

static void
dispatch(struct request *q)
{
	if (q->m.has_tsig && (forward_handle(q) || !is_signature_good(q))) {
		return; /* checked first, so that every answer is signed as it should be (RFC 8945 5.3) */
	}
	set_room(q);
	if (q->m.edns.present && q->m.edns.version != 0) {
		q->rcode = RCODE_BADVERS;
		return;
	}
	if (q->cookie.state == COOKIE_MALFORMED) {
		q->rcode = RCODE_FORMERR;
		return;
	}
	switch (msg_opcode(&q->m)) {
	case OPCODE_QUERY:
		handle_query(q);
		break;
	case OPCODE_NOTIFY:
		notify_handle(q);
		break;
	case OPCODE_UPDATE:
		update_handle(q);
		break;
	default:
		q->rcode = RCODE_NOTIMP;
	}
}

static bool
is_answered_later(const struct server_out *out)
{
	return out->event == EVENT_TRANSFER || out->event == EVENT_UPDATE || out->event == EVENT_FORWARD;
}

static bool
is_held_back(struct request *q)
{
	return q->conf->rate_limit != NULL && limit_holds_back(q);
}

size_t
server_handle(const struct view *v, const struct server_conf *conf, const struct peer *peer, uint64_t now_s,
              const uint8_t *req, size_t req_len, uint8_t *resp, size_t cap, struct server_stats *stats,
              struct server_out *out)
{
	struct request q;
	q.view = v;
	q.conf = conf;
	q.peer = peer;
	q.now_s = now_s;
	q.stats = stats;
	q.out = out;
	out->event = EVENT_NONE;
	out->why = "";
	out->close = false;
	out->key.len = 0;

	err_t err = msg_parse(req, req_len, &q.m);
	if (req_len < DNS_HEADER_LEN || (q.m.bits & DNS_QR) != 0) {
		server_count(&stats->dropped, 1);
		return 0;
	}
	server_count(&stats->queries[peer->transport], 1);
	q.key = NULL;
	q.rcode = RCODE_NOERROR;
	q.ede = EDE_NONE;
	q.zone = NULL;
	q.kind = RATE_DATA;
	q.about = NULL;
	q.cookie.state = COOKIE_NONE;
	q.is_authoritative = false;
	q.has_question = false;
	q.is_tsig_read = false;
	q.r.wire = resp;
	q.r.is_truncated = false;
	memset(q.r.count, 0, sizeof q.r.count);

	if (err != OK) {
		/* A malformed message is answered with its question only.  Unknown opcodes may have bodies of another form (RFC
		 * 8490). */
		unsigned opcode = msg_opcode(&q.m);
		bool is_known = opcode == OPCODE_QUERY || opcode == OPCODE_NOTIFY || opcode == OPCODE_UPDATE;
		q.rcode = is_known ? RCODE_FORMERR : RCODE_NOTIMP;
		q.m.has_tsig = false;
		q.m.edns.present = false;
		put_question(&q);
		return is_held_back(&q) ? 0 : finish(&q, cap);
	}
	put_question(&q);
	cookies_read(conf, peer, &q.m, now_s, &q.cookie);
	if (q.cookie.state != COOKIE_NONE) {
		server_count(&stats->cookies[q.cookie.state], 1);
	}
	q.limit = response_limit(&q, cap);
	dispatch(&q);
	size_t len = is_answered_later(out) || is_held_back(&q) ? 0 : finish(&q, cap);
	if (q.m.has_tsig) {
		tsig_fini(&q.tsig);
	}
	server_count(&stats->events[out->event], 1);
	return len;
}
