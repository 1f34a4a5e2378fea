/* bin/signed.h -- a request to a name server that is signed (RFC 8945), and what its answer means.
 *
 * The program builds the message and says what an RCODE means for it.  The key, the signature, the waiting, and plain words for what can
 * be wrong with signatures, clocks and networks are the same for all and are here:
 *
 *     struct signed_request s = { .subject = "example", .port = 53 };
 *     signed_read_key(&s, &from, "--key");
 *     s.wire = ..., s.len = ..., s.cap = ...; // the message
 *     signed_ask(&s, &addresses, &patience);
 *     switch (s.outcome) ...
 *
 * All messages go to standard error and begin with the subject.  No text shows a secret.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/keys.h"
#include "base/err.h"
#include "bin/cli.h"
#include "bin/client.h"
#include "dns/ede.h"
#include "dns/name.h"
#include "dns/tsig.h"

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
	/* The program's; what is pointed to is borrowed. */
	const char *subject;    /* a zone or a host, as people write it */
	const char *host;       /* the server as it was named; NULL: this machine */
	uint16_t port;
	const char *late_hint;  /* why a server that is there may be silent; NULL: it may not */
	const char *doubt_hint; /* what may be so although the answer is no good */
	uint8_t *wire;          /* the message, in `cap` octets, TSIG_RR_MAX of them for the signature */
	size_t len, cap;

	struct tsig_key key;
	bool has_key;
	char key_text[NAME_TEXT_MAX];
	struct tsig sent, tsig; /* as it was after signing the request, and after verifying the answer */
	enum signed_outcome outcome;
	unsigned rcode;
	char ede[EDE_TEXT_MAX]; /* what the server says beside it, "" */
	const char *server;     /* whose answer it is: "192.0.2.1 port 53"; in the addresses asked */
	bool may_have_arrived;  /* no answer: that does not mean that nothing was done */
};

/* The key, from where it may be; `option` is what a user calls from->arg.  E_NOTFOUND: it is nowhere.  Others: the
 * reason was printed. */
err_t signed_read_key(struct signed_request *s, const struct cli_secret *from, const char *option);

/* Does an argument look like a key, where none belongs?  Then it must be neither sent nor shown. */
bool signed_is_key(const char *text);

/* Signs the message if there is a key, sends it, and waits.  OK: there is an outcome.  Otherwise what happened was printed. */
err_t signed_ask(struct signed_request *s, const struct client_addresses *to, const struct client_patience *patience);

/* Is `rcode` what there is to explain?  That of an unsigned answer is no proof, but the best there is. */
bool signed_is_refusal(const struct signed_request *s);

/* Has the server said beside its RCODE, in words, why? */
bool signed_has_reason(const struct signed_request *s);

/* Says what is wrong, and what to do: for outcomes that are neither accepted nor a refusal. */
void signed_explain(const struct signed_request *s);

/* After a refusal: an unsigned NOTAUTH can mean that the key is not known; says so. */
void signed_hint_unknown_key(const struct signed_request *s);

/* After a refusal: may the key do that by its name?  Says so if not; else that the server's log says why, unless its answer did. */
void signed_explain_rights(const struct signed_request *s, enum key_right right, const uint8_t *zone);
