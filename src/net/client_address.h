/* net/client_address.h -- finds the addresses of a server whose name or address the user gave.
 *
 * It blocks: the system looks host names up (getaddrinfo(3)).
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

/* `host` is an IPv4 address, an IPv6 address (with or without brackets), a host name, or NULL for this machine (::1 and 127.0.0.1).
 * E_NOTFOUND, with the reason in `why`. */
err_t client_resolve(const char *host, uint16_t port, struct client_addresses *out, char why[CLIENT_WHY_MAX]);

/* True for an IPv4 or IPv6 address without brackets. */
bool client_is_address(const char *text);
