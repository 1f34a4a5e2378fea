/* net/tcp_questions.h -- questions over TCP on a libuv loop, each over a connection of its own (net/dial.h), in the manner of
 * net/udp_questions.h.
 *
 * Time is the caller's: a question lasts until it is ended, or fails.
 *
 * Threads: that of the loop alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "net/dial.h"
#include "net/listen.h"

enum { TCP_QUESTIONS_MAX = 64 }; /* slots */

struct tcp_question {
	struct tcp_questions *owner;
	struct dial *dial; /* NULL: none */
};

struct tcp_questions {
	/* set by the caller; the callbacks come from the loop alone, and may call the functions here */
	uv_loop_t *loop;
	void (*answered)(void *ctx, unsigned slot, const uint8_t *bytes, size_t len); /* at least DNS_HEADER_LEN octets */
	void (*failed)(void *ctx, unsigned slot); /* there is no connection, or it has ended: so has the question */
	void *ctx;
	/* the rest is zero */
	struct tcp_question slots[TCP_QUESTIONS_MAX];
};

/* The slot is free.  False: there can be no connection; it stays free. */
bool tcp_questions_send(struct tcp_questions *q, unsigned slot, const struct listen_address *to, const uint8_t *bytes, size_t len);
void tcp_questions_end(struct tcp_questions *q, unsigned slot); /* closes the connection, if there is one; no callback comes any more */
void tcp_questions_end_all(struct tcp_questions *q);
