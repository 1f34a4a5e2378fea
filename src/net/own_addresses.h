/* net/own_addresses.h -- which addresses are ours: nobody there is told, and notifications come from one of them.
 *
 * Threads: one at a time.
 */
#pragma once

#include <stddef.h>

#include "auth/keys.h"
#include "net/listen.h"

enum { OWN_ADDRESSES_MAX = 256 };

struct own_addresses {
	const struct listen_address *listen; /* borrowed */
	size_t listen_n;
	struct key_address list[OWN_ADDRESSES_MAX];
	size_t n;
};

/* Takes the addresses of the listeners, and where one is on all addresses, those that the machine has now: these come and go, so this is
 * called anew from time to time.  Those beyond OWN_ADDRESSES_MAX are left out.  `listen` and `listen_n` are set by the caller. */
void own_addresses_find(struct own_addresses *own);

/* Are all listeners bound to loopback addresses?  What the machine has does not count: one whose network is not up yet has no other
 * addresses either. */
bool own_addresses_are_loopback(const struct own_addresses *own);

/* The one address of a family that the listeners have, or NULL: then the system chooses where notifications come from. */
const struct listen_address *own_addresses_source(const struct own_addresses *own, int family);
