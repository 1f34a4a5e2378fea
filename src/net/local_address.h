/* net/local_address.h -- this machine's own address, as dynamic DNS publishes it.
 *
 * It is the source address that a datagram to the server would have, and the system knows it without sending one.  Behind NAT, others see
 * a different address, which this machine cannot find out.  But an address that cannot be right is recognized, and `doubt` says so.
 */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/err.h"
#include "net/client_address.h"

struct local_address {
	char text[INET6_ADDRSTRLEN];
	const char *doubt; /* a static text: why the address looks like a mistake; NULL: it does not */
};

/* The source address towards the first server that can be reached.  E_IO: none can be reached; errno says why. */
err_t local_address_find(const struct client_addresses *servers, struct local_address *out);

/* Why an address by which `server` is reached is of no use to others; NULL: it may be of use.  Pure. */
const char *local_address_doubt(const struct sockaddr_storage *local, const struct sockaddr_storage *server);
