/* net/client_p.h -- one address that is asked: what the files of client.c share.
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
	int udp;             /* -1: not (any more) */
	bool has_doubtful;   /* judge() doubted an answer, and nothing better came yet */
	bool is_sent;        /* the request may have arrived */
	uint8_t datagram[DNS_MSG_MAX], stream[DNS_MSG_MAX]; /* both may come at a time */
};

/* ---- client.c ---- */

struct client_heard {
	enum client_verdict verdict;
	bool is_truncated;
};

/* What the caller says of a message; CLIENT_IGNORE when it does not answer the request. */
struct client_heard client_hear(const struct client_request *r, const uint8_t *wire, size_t len);

/* Until there is something to do for one of them; a descriptor of -1 is passed over.  E_TIMEOUT when the deadline passes
 * first. */
err_t client_await(struct pollfd *fds, nfds_t n, uint64_t deadline_ms);

void client_close_fd(const int *fd);   /* -1 is fine: serves as a cleanup handler */
err_t client_err_of_errno(void);       /* what errno means for the caller */
bool client_is_try_again(void);        /* errno: nothing is wrong, but not now */

/* ---- client_udp.c ---- */

/* E_LIMIT: the answer was truncated; others as client_err_of_errno().  The socket stays open. */
err_t client_ask_udp(struct client_exchange *e);

/* Waits for an answer until the deadline.  E_LIMIT: it was truncated, TCP will tell. */
err_t client_listen_udp(struct client_exchange *e, uint64_t deadline_ms);

/* What comes over UDP while TCP is tried.  True: a good answer. */
bool client_is_answered_late(struct client_exchange *e);

/* ---- client_tcp.c ---- */

/* E_STOPPED: the answer came over UDP meanwhile.  E_SHORT: the server closed the connection. */
err_t client_ask_tcp(struct client_exchange *e, uint64_t deadline_ms);
