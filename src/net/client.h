/* net/client.h -- a DNS client for command-line tools: it asks one server and waits for the answer.
 *
 * It blocks, in poll(2).  Over UDP it repeats the request, and waits twice as long each time; over TCP it sends the request once.  All
 * copies are the same message, which a server may treat as one request: so the answer to a UDP copy may still come while TCP is tried.
 *
 * The caller knows about signatures, so it judges each answer.  An answer that can be believed ends the waiting at once.  An answer that
 * may be forged does not: a better one may follow.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "dns/msg.h"
#include "dns/request.h"
#include "net/client_address.h"

enum client_verdict {
	CLIENT_TAKE,  /* this is the answer */
	CLIENT_MORE,  /* a part of the answer, over TCP: more messages follow, and each may take as long as the first */
	CLIENT_DOUBT, /* perhaps the answer: take it if no better one comes soon */
	CLIENT_IGNORE /* no answer to this request */
};

struct client_patience {
	unsigned udp_tries;    /* 0: TCP only */
	unsigned udp_first_ms; /* how long to wait after the first try over UDP; doubled with each further try */
	unsigned tcp_ms;
	unsigned whole_ms;     /* over TCP, for all messages of one answer together; 0: no limit */
};

struct client_request {
	const uint8_t *wire;
	size_t len;
	/* Called with each message that has the request's ID, opcode and question, and the QR bit. */
	enum client_verdict (*judge)(void *ctx, const struct msg *answer);
	void *ctx;
	struct client_patience patience; /* for each address */
};

struct client_result {
	const struct client_address *from; /* OK: the address that has answered */
	bool may_have_arrived;             /* not OK: a server may have received the request nevertheless */
	char why[CLIENT_WHY_MAX];          /* not OK: what happened, for each address */
};

/* Asks the addresses one after the other: each over UDP, then over TCP if UDP brought no answer or a truncated one.
 * OK: judge() took an answer, or doubted one and no better one came.  E_REFUSED: no server listens there.  E_TIMEOUT, E_IO. */
err_t client_ask(const struct client_addresses *to, const struct client_request *request, struct client_result *out);

/* Does what request_begin() does, with a random ID. */
void client_begin_request(struct buf *b, uint16_t bits, const struct question *q);
