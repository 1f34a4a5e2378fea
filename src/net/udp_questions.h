/* net/udp_questions.h -- questions over UDP on a libuv loop, each from a socket of its own.
 *
 * A socket is connected: the system passes on what comes from that address and port alone, and says when nobody is there.  Its own port is
 * the system's choice, which nobody can predict.
 *
 * Threads: that of the loop alone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "dns/wire.h"
#include "net/listen.h"

enum { UDP_QUESTIONS_MAX = 64 }; /* slots */

struct udp_question;

struct udp_questions {
	/* set by the caller; the callbacks come from the loop alone, and may call the functions here */
	uv_loop_t *loop;
	void (*answered)(void *ctx, unsigned slot, const uint8_t *bytes, size_t len); /* at least DNS_HEADER_LEN octets */
	void (*not_reached)(void *ctx, unsigned slot);
	void *ctx;
	/* the rest is zero */
	struct udp_question *slots[UDP_QUESTIONS_MAX];
	uint8_t buffer[DNS_MSG_MAX];
};

/* Sends from a new socket, or from the one of the slot if it has one; from.len 0: the system chooses the address.  False: it could not be
 * sent; the slot is in use all the same if it was before. */
bool udp_questions_send(struct udp_questions *q, unsigned slot, const struct listen_address *from, const struct listen_address *to,
                        const uint8_t *bytes, size_t len);
void udp_questions_end(struct udp_questions *q, unsigned slot); /* closes the socket, if there is one; no callback comes any more */
void udp_questions_end_all(struct udp_questions *q);
