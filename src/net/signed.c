#include "net/signed.h"

#include <string.h>

#include "dns/rrtype.h"
#include "ops/clock.h"

/* Anybody can send an answer that is not signed by the key, so it is taken only if no better one comes. */
static enum client_verdict
judge_signed(struct signed_request *s, const struct msg *m, enum signed_outcome by_rcode)
{
	struct tsig t = s->sent; /* a copy: a forged answer must not change the state */
	err_t err = tsig_verify_response(&t, m, clock_wall_s());
	if (s->part != NULL) {
		s->sent = t; /* the next message of the answer continues from this state, which owns its digest */
	}
	if (err != OK && err != E_NOTFOUND && err != E_AUTH) {
		return CLIENT_IGNORE;
	}
	s->tsig = t;
	s->tsig.pending = NULL;
	s->outcome = err == OK             ? by_rcode
	             : err == E_NOTFOUND   ? SIGNED_UNSIGNED
	             : t.is_peer_error     ? SIGNED_TSIG_REFUSED
	                                   : SIGNED_BAD_SIGNATURE;
	return err == OK || t.is_error_signed ? CLIENT_TAKE : CLIENT_DOUBT;
}

static void
keep(struct signed_request *s, const struct msg *m)
{
	if (s->answer != NULL) {
		memcpy(s->answer, m->wire, m->len);
		s->answer_len = m->len;
	}
}

/* Judges one of several messages.  The last one must be signed: otherwise nobody knows whether messages are missing (RFC 8945 5.3.1). */
static enum client_verdict
judge_part(struct signed_request *s, const struct msg *m)
{
	enum client_verdict verdict = s->part(s->part_ctx, m);
	if (verdict == CLIENT_TAKE && s->key != NULL && !tsig_chain_is_closed(&s->sent)) {
		s->outcome = SIGNED_UNSIGNED;
	}
	return verdict;
}

static enum client_verdict
judge(void *ctx, const struct msg *m)
{
	struct signed_request *s = ctx;
	unsigned rcode = (m->bits & DNS_RCODE) | (m->edns.present ? m->edns.ext_rcode * 16u : 0);
	enum signed_outcome by_rcode = rcode == RCODE_NOERROR ? SIGNED_ACCEPTED : SIGNED_REFUSED;
	enum client_verdict verdict = CLIENT_TAKE;
	if (s->key != NULL) {
		verdict = judge_signed(s, m, by_rcode);
	} else {
		s->outcome = by_rcode;
	}
	if (verdict != CLIENT_IGNORE) {
		s->rcode = rcode;
		(void)ede_print(&m->edns, s->ede);
		keep(s, m);
	}
	return verdict == CLIENT_TAKE && s->outcome == SIGNED_ACCEPTED && s->part != NULL ? judge_part(s, m) : verdict;
}

bool
signed_is_refusal(const struct signed_request *s)
{
	return s->outcome == SIGNED_REFUSED || (s->outcome == SIGNED_UNSIGNED && s->rcode != RCODE_NOERROR);
}

/* An explanation is in parentheses: ede_print() writes "Prohibited (why)". */
bool
signed_has_reason(const struct signed_request *s)
{
	return strchr(s->ede, '(') != NULL;
}

static err_t
sign(struct signed_request *s)
{
	if (s->key == NULL) {
		return OK;
	}
	s->sent.key = s->key;
	return tsig_sign_request(&s->sent, s->wire, &s->len, s->cap, clock_wall_s());
}

err_t
signed_ask(struct signed_request *s, const struct client_addresses *to, const struct client_patience *patience)
{
	s->result.why[0] = '\0';
	TRY(sign(s));
	const struct client_request request = { s->wire, s->len, judge, s, *patience };
	err_t err = client_ask(to, &request, &s->result);
	if (s->part != NULL) {
		tsig_fini(&s->sent);
	}
	return err;
}
