/* net/listen.h -- addresses to listen on, and the sockets for them.
 *
 * Several workers have a socket each on the same address (SO_REUSEPORT), and the kernel shares the load
 * out among them.  A port that another process has is found before that, and said.
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

/* ADDR, ADDR@PORT; an IPv6 address also in brackets, then the port may come after a colon.  `port`:
 * when the text has none.  E_FORMAT. */
err_t listen_parse(const char *text, uint16_t port, struct listen_address *out, struct diag *diag);

/* ADDR alone, and not the wildcard: where messages come from, with any port.  E_FORMAT. */
err_t listen_parse_host(const char *text, struct listen_address *out);

/* "192.0.2.1@53", "2001:db8::1@53" */
void listen_print(const struct listen_address *a, char out[LISTEN_TEXT_MAX]);

bool listen_is_wildcard(const struct listen_address *a);

/* E_EXISTS: somebody has the port already; E_REFUSED: not permitted (ports below 1024); E_UNSUPPORTED: no such
 * address on this machine, or no IPv6; E_IO.  Nothing is kept open. */
err_t listen_probe(const struct listen_address *a, enum transport t, struct diag *diag);

/* A bound socket; for TCP it listens, and does not block.  Errors as listen_probe(). */
err_t listen_open(const struct listen_address *a, enum transport t, int *out, struct diag *diag);
