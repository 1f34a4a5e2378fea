/* net/client_address.h -- the addresses of a server that a person named.
 *
 * Blocking: a host name is looked up as the system does it (getaddrinfo(3)).
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

enum { CLIENT_ADDRESSES_MAX = 8, CLIENT_WHY_MAX = 512 };

struct client_address {
	struct sockaddr_storage sa;
	socklen_t sa_len;
	char text[80]; /* "192.0.2.1 port 53" */
};

struct client_addresses {
	struct client_address list[CLIENT_ADDRESSES_MAX];
	size_t n;
};

/* Addresses of a server: IPv4, IPv6 (also in brackets) or a host name; NULL: this machine, ::1 and
 * 127.0.0.1.  E_NOTFOUND, with the reason in `why`. */
err_t client_resolve(const char *host, uint16_t port, struct client_addresses *out, char why[CLIENT_WHY_MAX]);

/* Is this an IPv4 or IPv6 address, without brackets? */
bool client_is_address(const char *text);
