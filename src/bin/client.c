#include "bin/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "dns/rrtype.h"
#include "ops/clock.h"

enum { DOUBT_MS = 1000 }; /* how long a better answer than a doubtful one is waited for */

/* ---- addresses ---- */

static bool
add_address(struct client_addresses *to, const struct addrinfo *ai)
{
	if (to->n == CLIENT_ADDRESSES_MAX || ai->ai_addrlen > sizeof to->list[0].sa) {
		return false;
	}
	struct client_address *a = &to->list[to->n++];
	char host[NI_MAXHOST], port[NI_MAXSERV];
	memcpy(&a->sa, ai->ai_addr, ai->ai_addrlen);
	a->sa_len = ai->ai_addrlen;
	if (getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof host, port, sizeof port,
	                NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
		(void)snprintf(a->text, sizeof a->text, "%.60s port %.8s", host, port);
	}
	return true;
}

static err_t
look_up(const char *host, uint16_t port, struct client_addresses *to, char why[CLIENT_WHY_MAX])
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV }, *found = NULL;
	char service[8];
	(void)snprintf(service, sizeof service, "%u", (unsigned)port);
	int rc = getaddrinfo(host, service, &hints, &found);
	if (rc != 0) {
		(void)snprintf(why, CLIENT_WHY_MAX, "%.200s: %s", host,
		               rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
		return E_NOTFOUND;
	}
	for (const struct addrinfo *ai = found; ai != NULL && add_address(to, ai); ai = ai->ai_next) {
	}
	freeaddrinfo(found);
	return OK;
}

err_t
client_resolve(const char *host, uint16_t port, struct client_addresses *out, char why[CLIENT_WHY_MAX])
{
	struct client_addresses to = { .n = 0 };
	size_t len = host != NULL ? strlen(host) : 0;
	if (host == NULL) {
		TRY(look_up("::1", port, &to, why));
		TRY(look_up("127.0.0.1", port, &to, why));
	} else if (len > 2 && len < NI_MAXHOST && host[0] == '[' && host[len - 1] == ']') {
		char inner[NI_MAXHOST];
		memcpy(inner, host + 1, len - 2);
		inner[len - 2] = '\0';
		TRY(look_up(inner, port, &to, why));
	} else {
		TRY(look_up(host, port, &to, why));
	}
	*out = to;
	return OK;
}

bool
client_is_address(const char *text)
{
	uint8_t octets[16];
	return inet_pton(AF_INET, text, octets) == 1 || inet_pton(AF_INET6, text, octets) == 1;
}

/* ---- time and descriptors ---- */

/* Until there is something to do for one of them; a descriptor of -1 is passed over.  E_TIMEOUT when the deadline passes
 * first. */
static err_t
await(struct pollfd *fds, nfds_t n, uint64_t deadline_ms)
{
	for (;;) {
		uint64_t now = clock_ms();
		int left = deadline_ms > now ? (int)(deadline_ms - now) : 0;
		int ready = poll(fds, n, left);
		if (ready > 0) {
			return OK;
		}
		if (ready == 0) {
			return E_TIMEOUT;
		}
		if (errno != EINTR) {
			return E_IO;
		}
	}
}

static void
close_fd(const int *fd)
{
	if (*fd >= 0) {
		(void)close(*fd);
	}
}

/* What errno means for the caller. */
static err_t
err_of_errno(void)
{
	return errno == ECONNREFUSED ? E_REFUSED : errno == ETIMEDOUT ? E_TIMEOUT : E_IO;
}

static bool
is_try_again(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* ---- answers ---- */

/* An answer repeats the question (RFC 1035 4.1.2), except when the server could not read it. */
static bool
is_answer_to(const struct client_request *r, const struct msg *m)
{
	uint16_t id = (uint16_t)(r->wire[0] << 8 | r->wire[1]);
	uint16_t bits = (uint16_t)(r->wire[2] << 8 | r->wire[3]);
	if (m->id != id || (m->bits & DNS_QR) == 0 || ((m->bits ^ bits) & DNS_OPCODE) != 0) {
		return false;
	}
	struct msg asked;
	if (m->count[0] == 0 || msg_parse(r->wire, r->len, &asked) != OK || asked.count[0] != 1) {
		return true;
	}
	return m->count[0] == 1 && m->qtype == asked.qtype && m->qclass == asked.qclass &&
	       name_is_equal(m->qname.oct, asked.qname.oct);
}

/* One address that is asked. */
struct exchange {
	const struct client_address *to;
	const struct client_request *r;
	int udp;             /* -1: not (any more) */
	bool has_doubtful;   /* judge() doubted an answer, and nothing better came yet */
	bool is_sent;        /* the request may have arrived */
	uint8_t datagram[DNS_MSG_MAX], stream[DNS_MSG_MAX]; /* both may come at a time */
};

static struct exchange *
exchange_new(const struct client_address *to, const struct client_request *r)
{
	struct exchange *e = xalloc(sizeof *e);
	e->to = to;
	e->r = r;
	e->udp = -1;
	return e;
}

static void
exchange_free(struct exchange **e)
{
	close_fd(&(*e)->udp);
	free(*e);
}

struct heard {
	enum client_verdict verdict;
	bool is_truncated;
};

static struct heard
hear(const struct client_request *r, const uint8_t *wire, size_t len)
{
	struct msg m;
	if (msg_parse(wire, len, &m) != OK || !is_answer_to(r, &m)) {
		return (struct heard){ .verdict = CLIENT_IGNORE };
	}
	return (struct heard){ .verdict = r->judge(r->ctx, &m), .is_truncated = (m.bits & DNS_TC) != 0 };
}

/* ---- UDP ---- */

/* The next datagram.  E_BUSY: there is none. */
static err_t
hear_datagram(struct exchange *e, struct heard *out)
{
	ssize_t n = recv(e->udp, e->datagram, sizeof e->datagram, MSG_DONTWAIT);
	if (n < 0) {
		return is_try_again() ? E_BUSY : err_of_errno();
	}
	*out = hear(e->r, e->datagram, (size_t)n);
	return OK;
}

/* Waits for an answer until the deadline.  E_LIMIT: it was truncated, TCP will tell. */
static err_t
listen_udp(struct exchange *e, uint64_t deadline_ms)
{
	for (;;) {
		struct pollfd p = { .fd = e->udp, .events = POLLIN };
		struct heard h = { .verdict = CLIENT_IGNORE };
		err_t err = await(&p, 1, deadline_ms);
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

static err_t
ask_udp(struct exchange *e)
{
	const struct client_address *to = e->to;
	e->udp = socket(to->sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Connected: answers of others are dropped by the system, and a closed port is told to us. */
	if (e->udp < 0 || connect(e->udp, (const struct sockaddr *)&to->sa, to->sa_len) != 0) {
		return err_of_errno();
	}
	unsigned patience_ms = e->r->patience.udp_first_ms;
	err_t err = E_TIMEOUT;
	for (unsigned i = 0; i < e->r->patience.udp_tries && err == E_TIMEOUT; i++, patience_ms *= 2) {
		ssize_t sent = send(e->udp, e->r->wire, e->r->len, 0);
		err = sent < 0 ? err_of_errno() : listen_udp(e, clock_ms() + patience_ms);
		e->is_sent |= err == E_TIMEOUT || err == E_LIMIT;
	}
	return err;
}

/* ---- TCP ---- */

/* What comes over UDP while TCP is tried.  True: a good answer. */
static bool
is_answered_late(struct exchange *e)
{
	struct heard h = { .verdict = CLIENT_IGNORE };
	err_t err = hear_datagram(e, &h);
	if (err != OK && err != E_BUSY) {
		close_fd(&e->udp);
		e->udp = -1;
	}
	e->has_doubtful |= h.verdict == CLIENT_DOUBT && !h.is_truncated;
	return h.verdict == CLIENT_TAKE && !h.is_truncated;
}

/* E_STOPPED: the answer came over UDP meanwhile. */
static err_t
await_tcp(struct exchange *e, int fd, short events, uint64_t deadline_ms)
{
	for (;;) {
		struct pollfd p[2] = { { .fd = fd, .events = events }, { .fd = e->udp, .events = POLLIN } };
		TRY(await(p, ARRAY_LEN(p), deadline_ms));
		if (p[1].revents != 0 && is_answered_late(e)) {
			return E_STOPPED;
		}
		if (p[0].revents != 0) {
			return OK;
		}
	}
}

static err_t
connect_tcp(struct exchange *e, int fd, uint64_t deadline_ms)
{
	if (connect(fd, (const struct sockaddr *)&e->to->sa, e->to->sa_len) == 0) {
		return OK;
	}
	if (errno != EINPROGRESS) {
		return err_of_errno();
	}
	TRY(await_tcp(e, fd, POLLOUT, deadline_ms));
	int trouble = 0;
	socklen_t len = sizeof trouble;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &trouble, &len) != 0 || trouble != 0) {
		errno = trouble != 0 ? trouble : errno;
		return err_of_errno();
	}
	return OK;
}

static err_t
write_tcp(struct exchange *e, int fd, const uint8_t *bytes, size_t n, uint64_t deadline_ms)
{
	while (n != 0) {
		TRY(await_tcp(e, fd, POLLOUT, deadline_ms));
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && !is_try_again()) {
			return err_of_errno();
		}
		bytes += sent > 0 ? sent : 0;
		n -= sent > 0 ? (size_t)sent : 0;
	}
	return OK;
}

/* E_SHORT: the server closed the connection. */
static err_t
read_tcp(struct exchange *e, int fd, uint8_t *bytes, size_t n, uint64_t deadline_ms)
{
	while (n != 0) {
		TRY(await_tcp(e, fd, POLLIN, deadline_ms));
		ssize_t got = recv(fd, bytes, n, MSG_DONTWAIT);
		if (got < 0 && !is_try_again()) {
			return err_of_errno();
		}
		if (got == 0) {
			return E_SHORT;
		}
		bytes += got > 0 ? got : 0;
		n -= got > 0 ? (size_t)got : 0;
	}
	return OK;
}

static err_t
ask_tcp(struct exchange *e, uint64_t deadline_ms)
{
	const struct client_request *r = e->r;
	[[gnu::cleanup(close_fd)]] int fd = socket(e->to->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return err_of_errno();
	}
	TRY(connect_tcp(e, fd, deadline_ms));
	uint8_t framed[2 + DNS_MSG_MAX]; /* length and message in one segment (RFC 7766 8) */
	framed[0] = (uint8_t)(r->len >> 8);
	framed[1] = (uint8_t)r->len;
	memcpy(framed + 2, r->wire, r->len);
	TRY(write_tcp(e, fd, framed, 2 + r->len, deadline_ms));
	e->is_sent = true;
	for (;;) {
		uint8_t prefix[2];
		TRY(read_tcp(e, fd, prefix, sizeof prefix, deadline_ms));
		size_t len = (size_t)prefix[0] << 8 | prefix[1];
		TRY(read_tcp(e, fd, e->stream, len, deadline_ms));
		if (hear(r, e->stream, len).verdict != CLIENT_IGNORE) {
			return OK;
		}
	}
}

/* ---- all together ---- */

static const char *
trouble_text(err_t err)
{
	switch (err) {
	case E_TIMEOUT:
		return "no answer";
	case E_REFUSED:
		return "nothing listens there";
	case E_LIMIT:
		return "answer truncated";
	case E_SHORT:
		return "connection closed without an answer";
	default:
		return strerror(errno);
	}
}

[[gnu::format(printf, 2, 3)]] static void
tell(char why[CLIENT_WHY_MAX], const char *format, ...)
{
	size_t len = strlen(why);
	va_list args;
	va_start(args, format);
	(void)vsnprintf(why + len, CLIENT_WHY_MAX - len, format, args);
	va_end(args);
}

/* After UDP: over TCP, for as long as patience lasts, with an ear on UDP. */
static err_t
go_on_with_tcp(struct exchange *e, err_t udp, char why[CLIENT_WHY_MAX])
{
	uint64_t deadline_ms = clock_ms() + e->r->patience.tcp_ms;
	err_t err = ask_tcp(e, deadline_ms);
	tell(why, " TCP: %s", trouble_text(err));
	if (err == E_STOPPED || (err != OK && e->has_doubtful)) {
		return OK;
	}
	if (err != OK && udp == E_TIMEOUT && e->udp >= 0 && listen_udp(e, deadline_ms) == OK) {
		return OK; /* a server that takes its time, and UDP alone */
	}
	return err;
}

/* Appends to `why` what became of it. */
static err_t
ask_address(struct exchange *e, char why[CLIENT_WHY_MAX])
{
	unsigned udp_tries = e->r->patience.udp_tries;
	err_t udp = udp_tries != 0 ? ask_udp(e) : E_LIMIT;
	if (udp == OK) {
		return OK;
	}
	const char *udp_text = trouble_text(udp); /* errno is still that of UDP */
	tell(why, "%s%s:", *why != '\0' ? "; " : "", e->to->text);
	if (udp_tries != 0) {
		tell(why, " UDP: %s,", udp_text);
	}
	err_t tcp = go_on_with_tcp(e, udp, why);
	return tcp == OK ? OK : udp == E_TIMEOUT || tcp == E_TIMEOUT ? E_TIMEOUT : tcp == E_REFUSED ? E_REFUSED : E_IO;
}

err_t
client_ask(const struct client_addresses *to, const struct client_request *request, struct client_result *out)
{
	ASSERT(request->len >= DNS_HEADER_LEN && request->len <= DNS_MSG_MAX);
	err_t worst = E_REFUSED;
	*out = (struct client_result){ 0 };
	for (size_t i = 0; i < to->n; i++) {
		[[gnu::cleanup(exchange_free)]] struct exchange *e = exchange_new(&to->list[i], request);
		err_t err = ask_address(e, out->why);
		if (err == OK) {
			out->from = e->to;
			return OK;
		}
		out->may_have_arrived |= e->is_sent;
		worst = worst == E_TIMEOUT || err == E_REFUSED ? worst : err;
	}
	return worst;
}

void
client_put_edns(struct buf *b)
{
	buf_u8(b, 0); /* the root */
	buf_u16(b, TYPE_OPT);
	buf_u16(b, DNS_UDP_EDNS_DEFAULT);
	buf_u32(b, 0); /* RCODE, version and flags */
	buf_u16(b, 0);
	buf_patch_u16(b, 10, 1); /* ARCOUNT */
}

void
client_begin_request(struct buf *b, uint16_t bits, const uint8_t *name, uint16_t type)
{
	uint16_t id = 0;
	ssize_t got = getrandom(&id, sizeof id, 0); /* two octets never come in part */
	ASSERT(got == (ssize_t)sizeof id);
	buf_u16(b, id);
	buf_u16(b, bits);
	buf_u16(b, 1);
	buf_u16(b, 0);
	buf_u32(b, 0);
	buf_put(b, name, name_len(name));
	buf_u16(b, type);
	buf_u16(b, CLASS_IN);
}
