/* Asks over UDP: repeats the request, and waits twice as long each time. */
#include "net/client_p.h"

#include <poll.h>

#include "ops/clock.h"
#include "ops/files.h"

enum { DOUBT_MS = 1000 }; /* how long to wait for a better answer after a doubtful one */

/* Reads the next datagram.  E_BUSY: none has come. */
static err_t
hear_datagram(struct client_exchange *e, struct client_heard *out)
{
	ssize_t n = recv(e->udp, e->datagram, sizeof e->datagram, MSG_DONTWAIT);
	if (n < 0) {
		return client_is_try_again() ? E_BUSY : client_err_of_errno();
	}
	*out = client_hear(e->r, e->datagram, (size_t)n);
	return OK;
}

err_t
client_listen_udp(struct client_exchange *e, uint64_t deadline_ms)
{
	for (;;) {
		struct pollfd p = { .fd = e->udp, .events = POLLIN };
		struct client_heard h = { .verdict = CLIENT_IGNORE };
		err_t err = client_await(&p, 1, deadline_ms);
		if (err == OK) {
			err = hear_datagram(e, &h);
		}
		if (err != OK && err != E_BUSY) {
			return e->has_doubtful ? OK : err;
		}
		if (h.verdict != CLIENT_IGNORE && h.is_truncated) {
			return E_LIMIT;
		}
		if (h.verdict == CLIENT_TAKE) {
			return OK;
		}
		if (h.verdict == CLIENT_DOUBT && !e->has_doubtful) {
			e->has_doubtful = true;
			uint64_t soon = clock_ms() + DOUBT_MS;
			deadline_ms = soon < deadline_ms ? soon : deadline_ms;
		}
	}
}

err_t
client_ask_udp(struct client_exchange *e)
{
	const struct client_address *to = e->to;
	e->udp = socket(to->sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* A connected socket: the system drops answers from other addresses, and reports a closed port. */
	if (e->udp < 0 || connect(e->udp, (const struct sockaddr *)&to->sa, to->sa_len) != 0) {
		return client_err_of_errno();
	}
	unsigned patience_ms = e->r->patience.udp_first_ms;
	err_t err = E_TIMEOUT;
	for (unsigned i = 0; i < e->r->patience.udp_tries && err == E_TIMEOUT; i++, patience_ms *= 2) {
		ssize_t sent = send(e->udp, e->r->wire, e->r->len, 0);
		err = sent < 0 ? client_err_of_errno() : client_listen_udp(e, clock_ms() + patience_ms);
		e->is_sent |= err == E_TIMEOUT || err == E_LIMIT;
	}
	return err;
}

bool
client_is_answered_late(struct client_exchange *e)
{
	struct client_heard h = { .verdict = CLIENT_IGNORE };
	err_t err = hear_datagram(e, &h);
	if (err != OK && err != E_BUSY) {
		file_close(&e->udp);
	}
	e->has_doubtful |= h.verdict == CLIENT_DOUBT && !h.is_truncated;
	return h.verdict == CLIENT_TAKE && !h.is_truncated;
}
