/* net/client_p.h -- private to client.c, client_udp.c and client_tcp.c: the exchange with one address.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "dns/msg.h"
#include "dns/wire.h"
#include "net/client.h"

struct client_exchange {
	const struct client_address *to;
	const struct client_request *r;
	int udp;             /* the socket; -1: none, or it is closed again */
	bool has_doubtful;   /* judge() doubted an answer, and no better one has come yet */
	bool is_sent;        /* the request may have arrived */
	uint8_t datagram[DNS_MSG_MAX], stream[DNS_MSG_MAX]; /* two buffers: both transports may receive at the same time */
};

/* ---- client.c ---- */

struct client_heard {
	enum client_verdict verdict;
	bool is_truncated;
};

/* The verdict of the caller's judge() on a message; CLIENT_IGNORE for a message that does not answer the request. */
struct client_heard client_hear(const struct client_request *r, const uint8_t *wire, size_t len);

/* Waits until one of the descriptors is ready; a descriptor of -1 is ignored.  E_TIMEOUT: none was until the deadline. */
err_t client_await(struct pollfd *fds, nfds_t n, uint64_t deadline_ms);

err_t client_err_of_errno(void);
bool client_is_try_again(void);        /* errno says that the call may succeed later */

/* ---- client_udp.c ---- */

/* Asks over UDP.  Errors are those of client_err_of_errno(), and E_LIMIT for a truncated answer.  The socket stays open. */
err_t client_ask_udp(struct client_exchange *e);

/* Waits for an answer until the deadline.  E_LIMIT: the answer was truncated, so TCP is needed. */
err_t client_listen_udp(struct client_exchange *e, uint64_t deadline_ms);

/* Reads one datagram that came while TCP is tried.  True: it is a good answer. */
bool client_is_answered_late(struct client_exchange *e);

/* ---- client_tcp.c ---- */

/* Asks over TCP.  E_STOPPED: the answer came over UDP instead.  E_SHORT: the server closed the connection. */
err_t client_ask_tcp(struct client_exchange *e, uint64_t deadline_ms);
