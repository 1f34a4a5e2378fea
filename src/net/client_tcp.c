/* Asks over TCP.  Meanwhile, an answer to the earlier UDP requests is still taken. */
#include "base/number.h"
#include "net/client_p.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "ops/clock.h"
#include "ops/files.h"

/* Waits until the socket is ready.  E_STOPPED: the answer came over UDP instead. */
static err_t
await_tcp(struct client_exchange *e, int fd, short events, uint64_t deadline_ms)
{
	for (;;) {
		struct pollfd p[2] = { { .fd = fd, .events = events }, { .fd = e->udp, .events = POLLIN } };
		TRY(client_await(p, ARRAY_LEN(p), deadline_ms));
		if (p[1].revents != 0 && client_is_answered_late(e)) {
			return E_STOPPED;
		}
		if (p[0].revents != 0) {
			return OK;
		}
	}
}

static err_t
connect_tcp(struct client_exchange *e, int fd, uint64_t deadline_ms)
{
	if (connect(fd, (const struct sockaddr *)&e->to->sa, e->to->sa_len) == 0) {
		return OK;
	}
	if (errno != EINPROGRESS) {
		return client_err_of_errno();
	}
	TRY(await_tcp(e, fd, POLLOUT, deadline_ms));
	int trouble = 0;
	socklen_t len = sizeof trouble;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &trouble, &len) != 0 || trouble != 0) {
		errno = trouble != 0 ? trouble : errno;
		return client_err_of_errno();
	}
	return OK;
}

static err_t
write_tcp(struct client_exchange *e, int fd, const uint8_t *bytes, size_t n, uint64_t deadline_ms)
{
	while (n != 0) {
		TRY(await_tcp(e, fd, POLLOUT, deadline_ms));
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && !client_is_try_again()) {
			return client_err_of_errno();
		}
		bytes += sent > 0 ? sent : 0;
		n -= sent > 0 ? (size_t)sent : 0;
	}
	return OK;
}

/* E_SHORT: the server closed the connection. */
static err_t
read_tcp(struct client_exchange *e, int fd, uint8_t *bytes, size_t n, uint64_t deadline_ms)
{
	while (n != 0) {
		TRY(await_tcp(e, fd, POLLIN, deadline_ms));
		ssize_t got = recv(fd, bytes, n, MSG_DONTWAIT);
		if (got < 0 && !client_is_try_again()) {
			return client_err_of_errno();
		}
		if (got == 0) {
			return E_SHORT;
		}
		bytes += got > 0 ? got : 0;
		n -= got > 0 ? (size_t)got : 0;
	}
	return OK;
}

/* Reads the answer, which is one message or several. */
static err_t
read_answer(struct client_exchange *e, int fd, uint64_t deadline_ms)
{
	const struct client_patience *p = &e->r->patience;
	uint64_t whole_end_ms = p->whole_ms != 0 ? clock_ms() + p->whole_ms : UINT64_MAX;
	for (;;) {
		uint8_t prefix[2];
		deadline_ms = deadline_ms < whole_end_ms ? deadline_ms : whole_end_ms;
		TRY(read_tcp(e, fd, prefix, sizeof prefix, deadline_ms));
		size_t len = u16_at(prefix);
		TRY(read_tcp(e, fd, e->stream, len, deadline_ms));
		enum client_verdict verdict = client_hear(e->r, e->stream, len).verdict;
		if (verdict != CLIENT_IGNORE && verdict != CLIENT_MORE) {
			return OK;
		}
		deadline_ms = verdict == CLIENT_MORE ? clock_ms() + p->tcp_ms : deadline_ms;
	}
}

err_t
client_ask_tcp(struct client_exchange *e, uint64_t deadline_ms)
{
	const struct client_request *r = e->r;
	[[gnu::cleanup(file_close)]] int fd = socket(e->to->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return client_err_of_errno();
	}
	TRY(connect_tcp(e, fd, deadline_ms));
	uint8_t framed[2 + DNS_MSG_MAX]; /* length and message in one segment (RFC 7766 8) */
	memcpy(u16_put(framed, r->len), r->wire, r->len);
	TRY(write_tcp(e, fd, framed, 2 + r->len, deadline_ms));
	e->is_sent = true;
	return read_answer(e, fd, deadline_ms);
}
