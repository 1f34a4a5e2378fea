/* net/own_addresses.h -- the addresses at which we answer.  No notification is sent to them; notifications are sent from them.
 *
 * Threads: one at a time.
 */
#pragma once

#include <stddef.h>

#include "auth/notify_policy.h"
#include "net/listen.h"

enum { OWN_ADDRESSES_MAX = 256 };

struct own_addresses {
	const struct listen_address *listen; /* borrowed */
	size_t listen_n;
	struct notify_own list[OWN_ADDRESSES_MAX];
	size_t n;
};

/* Sets the list to the addresses of the listeners.  If a listener is on the wildcard address, all addresses that the machine has now are
 * added.  These addresses change, so the function is called again from time to time.  Addresses beyond OWN_ADDRESSES_MAX are left out.
 * The caller has set `listen` and `listen_n`. */
void own_addresses_find(struct own_addresses *own);

/* True when all listeners are bound to loopback addresses.  The machine's addresses are not looked at: a machine whose network is not up
 * yet has no others either. */
bool own_addresses_are_loopback(const struct own_addresses *own);

/* The source address for notifications: the only listener's address of that family.  NULL: there is none or more than one, or it is the
 * wildcard; then the system chooses. */
const struct listen_address *own_addresses_source(const struct own_addresses *own, int family);
