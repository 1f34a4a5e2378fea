/* net/listen.h -- addresses to listen on, and the sockets for them.
 *
 * Each worker has a socket of its own on the same address (SO_REUSEPORT), and the kernel shares the load out among them.  With this
 * option, nothing would show that another process has the port; so the port is first tried without it.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/server.h"
#include "base/diag.h"
#include "base/err.h"

struct listen_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} sa;
	socklen_t len;
};

enum { LISTEN_TEXT_MAX = 80 };

/* The text is ADDRESS or ADDRESS@PORT.  An IPv6 address may be in brackets; then the port may also follow a colon.  `port` is used when
 * the text has none.  E_FORMAT. */
err_t listen_parse(const char *text, uint16_t port, struct listen_address *out, struct diag *diag);

/* The text is an address without a port, and not the wildcard: a source of messages, where the port does not matter.  E_FORMAT. */
err_t listen_parse_host(const char *text, struct listen_address *out);

/* "192.0.2.1@53", "2001:db8::1@53" */
void listen_print(const struct listen_address *a, char out[LISTEN_TEXT_MAX]);

uint16_t listen_port(const struct listen_address *a);
bool listen_is_same(const struct listen_address *a, const struct listen_address *b);
bool listen_is_wildcard(const struct listen_address *a);

/* An address that has a family, and a port. */
struct listen_address listen_at(const struct key_address *a, uint16_t port);

/* Where messages to `to` come from: `source` if that has a family, else the default of the family of `to`.  len 0: the system chooses. */
struct listen_address listen_source(const struct key_address *to, const struct key_address *source,
                                    const struct listen_address *default_v4, const struct listen_address *default_v6);

/* The same address, and any port.  `a` NULL: len 0. */
struct listen_address listen_any_port(const struct listen_address *a);

/* Tries to bind the address, and closes the socket again.  E_EXISTS: another program has the port; E_REFUSED: not permitted (ports
 * below 1024); E_UNSUPPORTED: this machine does not have the address, or no IPv6; E_IO. */
err_t listen_probe(const struct listen_address *a, enum transport t, struct diag *diag);

/* Finds out what a socket is that another process has made.  E_FORMAT: it is no UDP socket and no listening TCP socket of IPv4 or IPv6, or
 * one for both families at a time. */
err_t listen_inspect(int fd, struct listen_address *at, enum transport *t);

/* Gives such a socket the options that listen_open() gives.  What waits in it stays there. */
void listen_adopt(int fd, const struct listen_address *a, enum transport t);

/* Makes a bound socket.  A TCP socket listens, and does not block.  Errors are those of listen_probe(). */
err_t listen_open(const struct listen_address *a, enum transport t, int *out, struct diag *diag);
