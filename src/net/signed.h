/* net/signed.h -- sends a signed request (RFC 8945) to a name server, and tells what the answer means.
 *
 * The program builds the message, and decides what an RCODE means for it.  The key is borrowed:
 *
 *     struct signed_request s = { .wire = ..., .len = ..., .cap = ..., .key = &key };
 *     signed_ask(&s, &addresses, &patience);
 *     switch (s.outcome) ...
 *
 * It blocks, as net/client.h does.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/ede.h"
#include "dns/tsig.h"
#include "net/client.h"

/* What the server did with the request. */
enum signed_outcome {
	SIGNED_NOTHING,       /* no answer (yet) */
	SIGNED_ACCEPTED,      /* NOERROR; the answer can be believed: it is signed, or the request was not */
	SIGNED_REFUSED,       /* another RCODE: `rcode`; the answer can be believed */
	SIGNED_TSIG_REFUSED,  /* the server did not accept our signature: it says tsig.error */
	SIGNED_UNSIGNED,      /* the request was signed and the answer is not: `rcode` */
	SIGNED_BAD_SIGNATURE, /* the signature of the answer is wrong: we found tsig.error */
};

struct signed_request {
	/* Set by the caller; pointers are borrowed. */
	uint8_t *wire;              /* the message, in a buffer of `cap` octets; the signature needs TSIG_RR_MAX of them */
	size_t len, cap;
	const struct tsig_key *key; /* NULL: unsigned */
	uint8_t *answer;            /* DNS_MSG_MAX octets for the answer; NULL: only its RCODE is wanted */

	/* NULL: the answer is one message.  Else it may be several (RFC 5936 2.2), over TCP, from one address.  Called with each message
	 * that is signed, or that the signature of a later one may cover (RFC 8945 5.3.1).  So messages count only once the outcome is
	 * SIGNED_ACCEPTED.  Returns CLIENT_TAKE for the last message, CLIENT_MORE for others. */
	enum client_verdict (*part)(void *ctx, const struct msg *m);
	void *part_ctx;

	struct tsig sent, tsig; /* `sent`: the state after signing the request; `tsig`: the state after verifying the answer */
	enum signed_outcome outcome;
	unsigned rcode;
	char ede[EDE_TEXT_MAX];      /* the server's extended error (RFC 8914) as text, or "" */
	size_t answer_len;           /* octets in `answer`, which is the answer that `outcome` is about */
	struct client_result result; /* the address that has answered, or why there is no answer */
};

/* Signs the message if there is a key, sends it, and waits.  OK: there is an outcome.  E_REFUSED, E_TIMEOUT, E_IO: as client_ask(), and
 * result.why says what happened for each address.  E_FULL: the message could not be signed; result.why is empty. */
err_t signed_ask(struct signed_request *s, const struct client_addresses *to, const struct client_patience *patience);

/* True when the user should learn what `rcode` means.  The RCODE of an unsigned answer is no proof, but there is no better one. */
bool signed_is_refusal(const struct signed_request *s);

/* True when the server has explained its RCODE in words. */
bool signed_has_reason(const struct signed_request *s);
