/* net/peer.h -- makes a struct peer, the client of a request, from a socket address, and prints it for the log.
 */
#pragma once

#include <sys/socket.h>

#include "auth/keys.h"
#include "auth/server.h"

/* False: the family is neither IPv4 nor IPv6, and *out is unchanged. */
bool peer_from_sockaddr(const struct sockaddr *sa, enum transport t, struct peer *out);

/* Reads an address of `len` octets of text: "192.0.2.1", "2001:db8::1".  E_FORMAT. */
err_t peer_parse_address(const char *text, size_t len, struct key_address *out);

enum { PEER_TEXT_MAX = 64 };
void peer_print(const struct peer *p, char out[PEER_TEXT_MAX]); /* "192.0.2.1@4242" */
void peer_print_address(const struct key_address *a, uint16_t port, char out[PEER_TEXT_MAX]); /* likewise */
