/* auth/request.h -- one request on its way through server.c; private to src/auth.
 *
 * What takes longer than one answer (a transfer, an update) begins with a look at the request here, and is taken up later, elsewhere,
 * out of the same octets: they are the one thing to be kept of it.
 */
#pragma once

#include "auth/reply.h"
#include "auth/server.h"
#include "dns/msg.h"
#include "dns/tsig.h"

struct request {
	const struct view *view;
	const struct server_conf *conf;
	const struct peer *peer;
	uint64_t now_s;
	struct server_stats *stats;
	struct server_out *out;

	struct msg m;
	struct reply r;
	size_t limit;            /* octets that the answer may have, OPT and TSIG included */
	unsigned rcode;          /* with EDNS's upper bits */
	int ede;                 /* extended error (RFC 8914), EDE_NONE: none */
	const struct zone *zone; /* of the name that was asked for, where it was answered from; NULL: none */
	bool is_authoritative;
	bool has_question;
	bool is_tsig_read;       /* tsig holds what the answer's TSIG needs */
	const struct key *key;   /* verified; NULL: unsigned */
	struct tsig tsig;
};

/* Verifies the TSIG of a parsed request, if there is one, with the view's keys; *tsig is then ready to sign the answer.  *key: whose it
 * is; NULL: the request is unsigned.  E_AUTH, E_FORMAT: as of tsig_verify_request(), with *tsig as it leaves that. */
err_t request_verify(const struct view *v, const struct msg *m, uint64_t now_s, struct tsig *tsig, const struct key **key);
