/* net/signed.h -- a request to a name server that is signed (RFC 8945), and what its answer means.
 *
 * The program builds the message and says what an RCODE means for it; the key is borrowed:
 *
 *     struct signed_request s = { .wire = ..., .len = ..., .cap = ..., .key = &key };
 *     signed_ask(&s, &addresses, &patience);
 *     switch (s.outcome) ...
 *
 * Blocking, as net/client.h is.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/ede.h"
#include "dns/tsig.h"
#include "net/client.h"

/* What the server made of it. */
enum signed_outcome {
	SIGNED_NOTHING,       /* no answer (yet) */
	SIGNED_ACCEPTED,      /* NOERROR; believed: signed, or nothing was to be signed */
	SIGNED_REFUSED,       /* `rcode`; believed as well */
	SIGNED_TSIG_REFUSED,  /* tsig.error, as the server says */
	SIGNED_UNSIGNED,      /* to a signed request: `rcode` */
	SIGNED_BAD_SIGNATURE, /* tsig.error, as we found */
};

struct signed_request {
	/* The caller's; what is pointed to is borrowed. */
	uint8_t *wire;              /* the message, in `cap` octets, TSIG_RR_MAX of them for the signature */
	size_t len, cap;
	const struct tsig_key *key; /* NULL: unsigned */
	uint8_t *answer;            /* room for the answer, DNS_MSG_MAX octets; NULL: its RCODE is enough */

	/* NULL: the answer is one message.  Else it may be several (RFC 5936 2.2), over TCP, from one address: called with each that
	 * is signed, or may be covered by the signature of a later one (RFC 8945 5.3.1); so what it was given counts only once the
	 * outcome is SIGNED_ACCEPTED.  CLIENT_TAKE: that was the last one; CLIENT_MORE. */
	enum client_verdict (*part)(void *ctx, const struct msg *m);
	void *part_ctx;

	struct tsig sent, tsig; /* as it was after signing the request, and after verifying the answer */
	enum signed_outcome outcome;
	unsigned rcode;
	char ede[EDE_TEXT_MAX];      /* what the server says beside it, "" */
	size_t answer_len;           /* what is in `answer`: of the answer that `outcome` is about */
	struct client_result result; /* whose answer it is, or why there is none */
};

/* Signs the message if there is a key, sends it, and waits.  OK: there is an outcome.  Otherwise result.why has what happened for
 * each address: E_REFUSED, E_TIMEOUT, E_IO as client_ask(); or it is empty, and the message could not be signed (E_FULL). */
err_t signed_ask(struct signed_request *s, const struct client_addresses *to, const struct client_patience *patience);

/* Is `rcode` what there is to explain?  That of an unsigned answer is no proof, but the best there is. */
bool signed_is_refusal(const struct signed_request *s);

/* Has the server said beside its RCODE, in words, why? */
bool signed_has_reason(const struct signed_request *s);
