/* auth/request.h -- one request on its way through server.c; private to src/auth.
 *
 * A transfer or an update takes longer than one answer.  It is checked here, and carried out later and elsewhere, from a copy of the
 * request's octets; nothing else of the request is kept.
 */
#pragma once

#include "auth/reply.h"
#include "auth/server.h"
#include "dns/cookie.h"
#include "dns/msg.h"
#include "dns/tsig.h"

/* Counters have one writer, so this locks no bus; readers never see half a number. */
static inline void
server_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

struct request {
	const struct view *view;
	const struct server_conf *conf;
	const struct peer *peer;
	uint64_t now_s;
	struct server_stats *stats;
	struct server_out *out;

	struct msg m;
	struct reply r;
	size_t limit;            /* most octets of the answer, with OPT and TSIG */
	unsigned rcode;          /* including the upper bits that EDNS adds */
	int ede;                 /* extended error (RFC 8914), EDE_NONE: none */
	const struct zone *zone; /* the zone of the name asked for, if the answer came from it; NULL: none */
	enum rate_kind kind;     /* what the answer is about: see struct answer */
	const uint8_t *about;
	bool is_authoritative;
	bool has_question;
	bool is_tsig_read;       /* tsig holds what the answer's TSIG needs */
	const struct key *key;   /* verified; NULL: unsigned */
	struct tsig tsig;
	struct cookie cookie;
};

/* Verifies the TSIG of a parsed request, if it has one, with the view's keys; *tsig is then ready to sign the answer.  *key: the
 * key that signed; NULL: the request is unsigned.  E_AUTH, E_FORMAT: errors of tsig_verify_request(), which leaves *tsig set. */
err_t request_verify(const struct view *v, const struct msg *m, uint64_t now_s, struct tsig *tsig, const struct key **key);
