/* bin/cli_signed.h -- a signed request of a command-line tool (net/signed.h), and plain words for what can be wrong with
 * keys, signatures, clocks and networks.
 *
 *     struct cli_signed s = { .subject = "example", .port = 53 };
 *     cli_signed_read_key(&s, &from, "--key");
 *     s.request.wire = ..., s.request.len = ..., s.request.cap = ...; // the message
 *     cli_signed_ask(&s, &addresses, &patience);
 *     switch (s.request.outcome) ...
 *
 * All messages go to standard error and begin with the subject.  No text shows a secret.
 */
#pragma once

#include <stdint.h>

#include "auth/keys.h"
#include "base/err.h"
#include "bin/cli.h"
#include "dns/name.h"
#include "net/signed.h"

struct cli_signed {
	/* The program's; what is pointed to is borrowed. */
	const char *subject;    /* a zone or a host, as people write it */
	const char *host;       /* the server as it was named; NULL: this machine */
	uint16_t port;
	const char *late_hint;  /* why a server that is there may be silent; NULL: it may not */
	const char *doubt_hint; /* what may be so although the answer is no good */

	struct signed_request request;
	const char *server;     /* whose answer it is: "192.0.2.1 port 53"; in the addresses asked */
	struct tsig_key key;    /* request.key points to it when there is one */
	char key_text[NAME_TEXT_MAX];
};

/* The key, from where it may be; `option` is what a user calls from->arg.  E_NOTFOUND: it is nowhere.  Others: the
 * reason was printed. */
err_t cli_signed_read_key(struct cli_signed *s, const struct cli_secret *from, const char *option);

/* Does an argument look like a key, where none belongs?  Then it must be neither sent nor shown. */
bool cli_is_key(const char *text);

/* Signs the message if there is a key, sends it, and waits.  OK: there is an outcome.  Otherwise what happened was printed. */
err_t cli_signed_ask(struct cli_signed *s, const struct client_addresses *to, const struct client_patience *patience);

/* Says what is wrong, and what to do: for outcomes that are neither accepted nor a refusal. */
void cli_signed_explain(const struct cli_signed *s);

/* After a refusal: an unsigned NOTAUTH can mean that the key is not known; says so. */
void cli_signed_hint_unknown_key(const struct cli_signed *s);

/* After a refusal: may the key do that by its name?  Says so if not; else that the server's log says why, unless its answer did. */
void cli_signed_explain_rights(const struct cli_signed *s, enum key_right right, const uint8_t *zone);
