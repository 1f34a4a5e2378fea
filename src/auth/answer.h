/* auth/answer.h -- the answer to a standard query: RFC 1034 4.3.2, as later RFCs have changed it.
 *
 * These RFCs are 2181, 2308 (negative answers), 4592 (wildcards), 6672 (DNAME), 8020 (empty non-terminals), 8482 (ANY), 9471
 * (glue), 4035 3.1 and 5155 7.2 (signed zones).  Pure: looks up in a view, writes into a reply.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/reply.h"
#include "auth/server.h"
#include "auth/view.h"

enum {
	ALIAS_CHAIN_MAX = 16, /* CNAMEs and DNAMEs followed for one query */
};

struct question {
	const uint8_t *name; /* uncompressed; in the message at DNS_HEADER_LEN */
	uint16_t type;
	bool is_dnssec_ok;
	enum transport transport;
	bool is_axfr_open;
	const struct key *key; /* the key that signed the query; NULL: unsigned */
	const struct peer *peer; /* the client; NULL: not known */
};

struct answer {
	unsigned rcode;
	bool is_authoritative; /* AA */
	bool is_given_up;      /* the answer would cost too much: the caller answers SERVFAIL */
	/* What the name asked for led to, before any alias was followed: auth/rate_limit.h.  `about` is in the view; NULL: our zones do not
	 * have the name. */
	enum rate_kind kind;
	const uint8_t *about;
	const struct zone *zone; /* our zone that the name is in; NULL: there is none, and rcode is REFUSED, or: */
	const struct shut_zone *shut; /* our zone that the name is in, which cannot be served: rcode is SERVFAIL; NULL: it is in none */
};

void answer_query(const struct view *v, const struct question *q, struct reply *r, struct answer *out);
