#include "net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	TCP_NOT_SENT = 256 << 10, /* octets of a socket's buffer that may wait to be sent */
	UDP_BUFFER = 4 << 20, /* room for some ten thousand queries, which wait here while their worker does not run */
	TCP_BACKLOG = 1024,
};

static err_t
bad(struct diag *diag, const char *text, const char *why)
{
	diag_set(diag, DIAG_ERROR, "listen", "%s: %s", text, why);
	diag_hint(diag, "write ADDRESS or ADDRESS@PORT, such as 192.0.2.1, 192.0.2.1@5353 or 2001:db8::1@53");
	return E_FORMAT;
}

static bool
port_parse(const char *text, uint16_t *out)
{
	char *end;
	if (text[0] < '0' || text[0] > '9') {
		return false;
	}
	errno = 0;
	unsigned long v = strtoul(text, &end, 10);
	if (*end != '\0' || errno != 0 || v == 0 || v > UINT16_MAX) {
		return false;
	}
	*out = (uint16_t)v;
	return true;
}

/* Cuts the text into address and port: "[v6]", "[v6]:port", "[v6]@port", "addr@port", "addr". */
static bool
split(const char *text, char *address, size_t cap, const char **port)
{
	const char *begin = text, *end;
	*port = NULL;
	if (text[0] == '[') {
		begin = text + 1;
		end = strchr(begin, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != '@' && end[1] != ':')) {
			return false;
		}
		*port = end[1] != '\0' ? end + 2 : NULL;
	} else {
		end = begin + strcspn(begin, "@");
		*port = *end == '@' ? end + 1 : NULL;
	}
	size_t n = (size_t)(end - begin);
	if (n == 0 || n >= cap) {
		return false;
	}
	memcpy(address, begin, n);
	address[n] = '\0';
	return true;
}

/* getaddrinfo() is used because it understands the scope of a link-local address ("fe80::1%eth0"). */
static bool
parse_v6(const char *address, struct sockaddr_in6 *out)
{
	struct addrinfo hints = { .ai_family = AF_INET6, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST };
	struct addrinfo *list = NULL;
	if (getaddrinfo(address, NULL, &hints, &list) != 0) {
		return false;
	}
	memcpy(out, list->ai_addr, sizeof *out);
	freeaddrinfo(list);
	return true;
}

static bool
parse_host(const char *address, uint16_t port, struct listen_address *out)
{
	struct listen_address a = { 0 };
	if (inet_pton(AF_INET, address, &a.sa.v4.sin_addr) == 1) {
		a.sa.v4.sin_family = AF_INET;
		a.sa.v4.sin_port = htons(port);
		a.len = sizeof a.sa.v4;
	} else if (parse_v6(address, &a.sa.v6)) {
		a.sa.v6.sin6_port = htons(port);
		a.len = sizeof a.sa.v6;
	} else {
		return false;
	}
	*out = a;
	return true;
}

err_t
listen_parse(const char *text, uint16_t port, struct listen_address *out, struct diag *diag)
{
	char address[LISTEN_TEXT_MAX];
	const char *port_text;
	if (!split(text, address, sizeof address, &port_text)) {
		return bad(diag, text, "not an address");
	}
	if (port_text != NULL && !port_parse(port_text, &port)) {
		return bad(diag, text, "the port is not a number from 1 to 65535");
	}
	if (!parse_host(address, port, out)) {
		return bad(diag, text, "not an IPv4 or IPv6 address");
	}
	return OK;
}

err_t
listen_parse_host(const char *text, struct listen_address *out)
{
	struct listen_address a;
	char address[LISTEN_TEXT_MAX];
	const char *port_text;
	if (!split(text, address, sizeof address, &port_text) || port_text != NULL || !parse_host(address, 0, &a) ||
	    listen_is_wildcard(&a)) {
		return E_FORMAT;
	}
	*out = a;
	return OK;
}

uint16_t
listen_port(const struct listen_address *a)
{
	return ntohs(a->sa.any.sa_family == AF_INET ? a->sa.v4.sin_port : a->sa.v6.sin6_port);
}

void
listen_print(const struct listen_address *a, char out[LISTEN_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 2] = "?";
	(void)getnameinfo(&a->sa.any, a->len, host, sizeof host, NULL, 0, NI_NUMERICHOST);
	snprintf(out, LISTEN_TEXT_MAX, "%s@%u", host, (unsigned)listen_port(a));
}

struct listen_address
listen_at(const struct key_address *a, uint16_t port)
{
	struct listen_address out = { 0 };
	if (a->family == 4) {
		out.len = sizeof out.sa.v4;
		out.sa.v4.sin_family = AF_INET;
		out.sa.v4.sin_port = htons(port);
		memcpy(&out.sa.v4.sin_addr, a->octets, 4);
	} else {
		out.len = sizeof out.sa.v6;
		out.sa.v6.sin6_family = AF_INET6;
		out.sa.v6.sin6_port = htons(port);
		memcpy(&out.sa.v6.sin6_addr, a->octets, 16);
	}
	return out;
}

struct listen_address
listen_source(const struct key_address *to, const struct key_address *source,
              const struct listen_address *default_v4, const struct listen_address *default_v6)
{
	return source->family != 0 ? listen_at(source, 0) : to->family == 4 ? *default_v4 : *default_v6;
}

struct listen_address
listen_any_port(const struct listen_address *a)
{
	struct listen_address out = { 0 };
	if (a != NULL) {
		out = *a;
		*(a->sa.any.sa_family == AF_INET ? &out.sa.v4.sin_port : &out.sa.v6.sin6_port) = 0;
	}
	return out;
}

bool
listen_is_same(const struct listen_address *a, const struct listen_address *b)
{
	if (a->sa.any.sa_family != b->sa.any.sa_family) {
		return false;
	}
	if (a->sa.any.sa_family == AF_INET) {
		return a->sa.v4.sin_port == b->sa.v4.sin_port && a->sa.v4.sin_addr.s_addr == b->sa.v4.sin_addr.s_addr;
	}
	return a->sa.v6.sin6_port == b->sa.v6.sin6_port && a->sa.v6.sin6_scope_id == b->sa.v6.sin6_scope_id &&
	       IN6_ARE_ADDR_EQUAL(&a->sa.v6.sin6_addr, &b->sa.v6.sin6_addr);
}

bool
listen_is_wildcard(const struct listen_address *a)
{
	return a->sa.any.sa_family == AF_INET ? a->sa.v4.sin_addr.s_addr == htonl(INADDR_ANY)
	                                      : IN6_IS_ADDR_UNSPECIFIED(&a->sa.v6.sin6_addr);
}

static void
option(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof value); /* all these options are improvements; none is needed */
}

static int
value_of(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof value;
	return getsockopt(fd, level, name, &value, &len) == 0 ? value : 0;
}

/* The forced option may exceed net.core.{r,w}mem_max but needs CAP_NET_ADMIN, so the plain one is set first.  A buffer that is large enough
 * stays: the service manager may have made it with more rights than we have.  (The system says twice what was set.) */
static void
buffer(int fd, int name, int forced)
{
	if (value_of(fd, SOL_SOCKET, name) / 2 < UDP_BUFFER) {
		option(fd, SOL_SOCKET, name, UDP_BUFFER);
		option(fd, SOL_SOCKET, forced, UDP_BUFFER);
	}
}

static void
udp_options(int fd, const struct listen_address *a)
{
	bool is_v4 = a->sa.any.sa_family == AF_INET;
	buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE);
	buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE);
	/* A stranger can report a path MTU, and only to force fragments.  So such reports are not believed (RFC 9715). */
	if (is_v4) {
		option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
	} else {
		option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
	}
	if (listen_is_wildcard(a)) { /* the answer must leave from the address that was asked */
		option(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, 1);
	}
}

/* Accepted connections inherit these. */
static void
tcp_options(int fd)
{
	/* Without this, a buffer of 4 MB becomes writable again only when a third of it is sent.  A peer that takes 40 kB a second would
	 * then look as if it took nothing. */
	option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, TCP_NOT_SENT);
	option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* an answer is written in one piece */
}

static err_t
failed(struct diag *diag, const struct listen_address *a, enum transport t, const char *what)
{
	int e = errno;
	char text[LISTEN_TEXT_MAX];
	listen_print(a, text);
	diag_set(diag, DIAG_ERROR, "listen", "%s %s: %s: %s", t == TRANSPORT_UDP ? "UDP" : "TCP", text, what, strerror(e));
	switch (e) {
	case EADDRINUSE:
		diag_hint(diag, "another program has this port: see \"ss -lntup\", or choose one with --listen=ADDRESS@PORT");
		return E_EXISTS;
	case EACCES:
	case EPERM:
		diag_hint(diag, "ports below 1024 need root or CAP_NET_BIND_SERVICE; choose another with --port");
		return E_REFUSED;
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		diag_hint(diag, "no interface of this machine has the address: see \"ip address\"");
		return E_UNSUPPORTED;
	default:
		return E_IO;
	}
}

static err_t
bind_socket(const struct listen_address *a, enum transport t, bool is_shared, int *out, struct diag *diag)
{
	int type = t == TRANSPORT_UDP ? SOCK_DGRAM : SOCK_STREAM | SOCK_NONBLOCK;
	int fd = socket(a->sa.any.sa_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return failed(diag, a, t, "socket");
	}
	if (a->sa.any.sa_family == AF_INET6) {
		option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1); /* IPv4 has its own sockets */
	}
	if (t == TRANSPORT_TCP) {
		option(fd, SOL_SOCKET, SO_REUSEADDR, 1); /* connections of an earlier run may be in TIME_WAIT */
	}
	if (is_shared) {
		option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	}
	if (bind(fd, &a->sa.any, a->len) != 0) {
		err_t err = failed(diag, a, t, "cannot listen");
		close(fd);
		return err;
	}
	*out = fd;
	return OK;
}

err_t
listen_probe(const struct listen_address *a, enum transport t, struct diag *diag)
{
	int fd = -1;
	TRY(bind_socket(a, t, false, &fd, diag));
	close(fd);
	return OK;
}

err_t
listen_open(const struct listen_address *a, enum transport t, int *out, struct diag *diag)
{
	int fd = -1;
	TRY(bind_socket(a, t, true, &fd, diag));
	if (t == TRANSPORT_UDP) {
		udp_options(fd, a);
	} else {
		tcp_options(fd);
		if (listen(fd, TCP_BACKLOG) != 0) {
			err_t err = failed(diag, a, t, "cannot listen");
			close(fd);
			return err;
		}
	}
	*out = fd;
	return OK;
}

err_t
listen_inspect(int fd, struct listen_address *at, enum transport *t)
{
	struct listen_address a = { .len = sizeof a.sa };
	if (getsockname(fd, &a.sa.any, &a.len) != 0) {
		return E_FORMAT;
	}
	bool is_v6 = a.sa.any.sa_family == AF_INET6;
	if ((!is_v6 && a.sa.any.sa_family != AF_INET) || (is_v6 && value_of(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0)) {
		return E_FORMAT;
	}
	int protocol = value_of(fd, SOL_SOCKET, SO_PROTOCOL);
	bool is_tcp = protocol == IPPROTO_TCP && value_of(fd, SOL_SOCKET, SO_ACCEPTCONN) != 0;
	if (!is_tcp && protocol != IPPROTO_UDP) {
		return E_FORMAT;
	}
	*at = a;
	*t = is_tcp ? TRANSPORT_TCP : TRANSPORT_UDP;
	return OK;
}

void
listen_adopt(int fd, const struct listen_address *a, enum transport t)
{
	int flags = fcntl(fd, F_GETFL);
	(void)fcntl(fd, F_SETFL, t == TRANSPORT_TCP ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
	if (t == TRANSPORT_TCP) {
		tcp_options(fd);
	} else {
		udp_options(fd, a);
	}
}
