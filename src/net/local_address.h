/* net/local_address.h -- the address of this machine that leads to a server: what dynamic DNS publishes.
 *
 * The system knows it: it is the source address that a datagram to the server would have.  Nothing is sent to find out.  Behind NAT it
 * is not the address that others see, and nobody on this machine can tell that one; but that it cannot be right is told.
 */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/err.h"
#include "net/client_address.h"

struct local_address {
	char text[INET6_ADDRSTRLEN];
	const char *doubt; /* static: why it looks like a mistake; NULL: it does not */
};

/* The one that leads to the first of the servers that can be reached at all.  E_IO: none can; errno says why. */
err_t local_address_find(const struct client_addresses *servers, struct local_address *out);

/* Why others have no use for an address by which `server` is reached; NULL: they have.  Pure. */
const char *local_address_doubt(const struct sockaddr_storage *local, const struct sockaddr_storage *server);
