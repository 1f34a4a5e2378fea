/* net/dial.h -- a TCP connection that we open, on a libuv loop; it carries DNS messages, each after its length in two octets (RFC 1035
 * 4.2.2).
 *
 * A dial is the caller's from dial_begin() until dial_close(), or until `ended` is called, whichever comes first.  Then no callback comes
 * any more, not even for messages that have already arrived; the memory is freed at the end of the loop's turn.  The callbacks are called
 * by the loop alone, never out of one of the functions here, and may call these.
 *
 * The buffer for input is doubled up to what the message at hand needs, so that a peer with short messages costs little.  Output waits in
 * the order in which it was given, also before the connection is there.
 *
 * Threads: that of the loop alone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "net/listen.h"

enum {
	DIAL_INPUT_MIN = 2048,          /* octets of the buffer at first */
	DIAL_UNSENT_MAX = 256 * 1024,   /* octets that may wait to be sent */
	DIAL_PROBE_S = 10,              /* keepalive: between two probes that nobody answers */
	DIAL_PROBES = 3,                /* so many of them, and the connection ends */
};

struct dial_conf {
	struct listen_address from, to; /* from.len 0: the system chooses */
	size_t message_max;             /* octets of a message from the peer; a longer one ends the connection */
	unsigned keepalive_s;           /* TCP asks a peer that has been silent for so long; 0: never */
	void (*connected)(void *ctx);   /* the connection is there; NULL: nobody wants to know */
	void (*message)(void *ctx, const uint8_t *bytes, size_t len); /* at least DNS_HEADER_LEN octets, borrowed for the call */
	void (*ended)(void *ctx, const char *why); /* it could not be made, or has ended; `why` is for people, and static */
	void *ctx;
};

struct dial;

/* Begins to connect; `conf` is copied.  NULL: it cannot even begin, and *why is a static text for people. */
struct dial *dial_begin(uv_loop_t *loop, const struct dial_conf *conf, const char **why);

/* Copies the message.  False: too much waits to be sent, because the peer does not read, or there is no memory. */
bool dial_send(struct dial *d, const uint8_t *bytes, size_t len);

void dial_close(struct dial **d); /* NULL-safe; what waits to be sent is dropped */
