/* net/client.h -- a DNS client that asks one server and waits for the answer: for command-line tools.
 *
 * Blocking, with poll(2).  Over UDP a request is repeated with growing patience; over TCP it is sent once.  All are the same message,
 * which a server may take as one; so what was asked over UDP may still be answered there while TCP is tried.
 * Which answer counts is decided by the caller, who knows about signatures: an answer that cannot be
 * believed (it may be forged) does not end the waiting at once, one that can does.
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
	CLIENT_MORE,  /* this is a part of the answer: over TCP, more messages follow, each with the patience of the first */
	CLIENT_DOUBT, /* take it if nothing better comes soon */
	CLIENT_IGNORE /* not an answer to this */
};

struct client_patience {
	unsigned udp_tries;    /* 0: TCP only */
	unsigned udp_first_ms; /* with the first try over UDP, doubled at each */
	unsigned tcp_ms;
};

struct client_request {
	const uint8_t *wire;
	size_t len;
	/* Called with each message that has the request's ID, opcode and question, and the QR bit. */
	enum client_verdict (*judge)(void *ctx, const struct msg *answer);
	void *ctx;
	struct client_patience patience; /* with each address */
};

struct client_result {
	const struct client_address *from; /* OK: whose answer it is */
	bool may_have_arrived;             /* not OK: somebody may have the request all the same */
	char why[CLIENT_WHY_MAX];          /* not OK: what happened, for each address */
};

/* Asks the addresses in turn, each over UDP, then over TCP when UDP brings nothing or a truncated answer.
 * OK: judge() took (or at last doubted) an answer.  E_REFUSED: nothing listens there; E_TIMEOUT; E_IO. */
err_t client_ask(const struct client_addresses *to, const struct client_request *request, struct client_result *out);

/* request_begin() with a random ID. */
void client_begin_request(struct buf *b, uint16_t bits, const struct question *q);
