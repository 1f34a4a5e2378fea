/* bin/cli_signed.h -- sends a signed request for a command-line tool (net/signed.h), and explains in plain words what can be wrong with
 * keys, signatures, clocks and networks.
 *
 *     struct cli_signed s = { .subject = "example", .port = 53 };
 *     cli_signed_read_key(&s, &from, "--key");
 *     s.request.wire = ..., s.request.len = ..., s.request.cap = ...; // the message
 *     cli_signed_ask(&s, &addresses, &patience);
 *     switch (s.request.outcome) ...
 *
 * All messages go to standard error and begin with the subject.  No message shows a secret.
 */
#pragma once

#include <stdint.h>

#include "auth/keys.h"
#include "base/err.h"
#include "bin/cli.h"
#include "dns/name.h"
#include "net/signed.h"

struct cli_signed {
	/* Set by the program; pointers are borrowed. */
	const char *subject;    /* a zone or a host, as people write it */
	const char *host;       /* the server, as the user named it; NULL: this machine */
	uint16_t port;
	const char *late_hint;  /* why a running server may be silent; NULL: there is no such reason */
	const char *doubt_hint; /* what may have happened on the server although its answer is no good */

	struct signed_request request;
	const char *server;     /* who has answered: "192.0.2.1 port 53"; points into the addresses asked */
	struct tsig_key key;    /* request.key points to it if there is a key */
	char key_text[NAME_TEXT_MAX];
};

/* Reads the key.  `option` is the user's name for from->arg.  E_NOTFOUND: no source has a key.  After other errors the reason was
 * printed. */
err_t cli_signed_read_key(struct cli_signed *s, const struct cli_secret *from, const char *option);

/* True when an argument looks like a key.  If no key belongs there, the argument must be neither sent nor shown. */
bool cli_is_key(const char *text);

/* Signs the message if there is a key, sends it, and waits.  OK: there is an outcome.  After an error, what happened was printed. */
err_t cli_signed_ask(struct cli_signed *s, const struct client_addresses *to, const struct client_patience *patience);

/* Prints why there is no outcome: `err` is what signed_ask() returned for the request.  cli_signed_ask() has done so. */
void cli_signed_explain_silence(const struct cli_signed *s, err_t err);

/* Prints what is wrong and what to do, for outcomes that are neither acceptance nor a refusal. */
void cli_signed_explain(const struct cli_signed *s);

/* To be called after a refusal.  An unsigned NOTAUTH may mean that the server does not know the key; then prints that. */
void cli_signed_hint_unknown_key(const struct cli_signed *s);

/* To be called after a refusal.  If the key's name does not give the right, prints that.  Otherwise points to the server's log, unless the
 * answer has the reason. */
void cli_signed_explain_rights(const struct cli_signed *s, enum key_right right, const uint8_t *zone);
