/* auth/request.h -- one request on its way through server.c; private to src/auth. */
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
	unsigned rcode;          /* with EDNS's upper bits */
	int ede;                 /* extended error (RFC 8914), EDE_NONE: none */
	bool is_authoritative;
	bool has_question;
	bool is_tsig_read;       /* tsig holds what the answer's TSIG needs */
	const struct key *key;   /* verified; NULL: unsigned */
	struct tsig tsig;
};
