#include "net/own_addresses.h"

#include <ifaddrs.h>

#include "auth/notify_policy.h"
#include "net/peer.h"

static bool
read_address(const struct sockaddr *sa, struct key_address *out)
{
	struct peer p;
	if (sa == NULL || !peer_from_sockaddr(sa, TRANSPORT_UDP, &p)) {
		return false;
	}
	*out = peer_key_address(&p);
	return true;
}

static void
add(struct own_addresses *own, const struct sockaddr *sa)
{
	if (own->n < OWN_ADDRESSES_MAX && read_address(sa, &own->list[own->n])) {
		own->n++;
	}
}

static void
add_interfaces(struct own_addresses *own)
{
	struct ifaddrs *all = NULL;
	if (getifaddrs(&all) != 0) {
		return;
	}
	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
		add(own, a->ifa_addr);
	}
	freeifaddrs(all);
}

void
own_addresses_find(struct own_addresses *own)
{
	bool is_wildcard = false;
	own->n = 0;
	for (size_t i = 0; i < own->listen_n; i++) {
		is_wildcard |= listen_is_wildcard(&own->listen[i]);
		add(own, &own->listen[i].sa.any);
	}
	if (is_wildcard) {
		add_interfaces(own);
	}
}

bool
own_addresses_are_loopback(const struct own_addresses *own)
{
	struct key_address a;
	for (size_t i = 0; i < own->listen_n; i++) {
		if (!read_address(&own->listen[i].sa.any, &a) || !notify_is_loopback(&a)) {
			return false;
		}
	}
	return own->listen_n != 0;
}

const struct listen_address *
own_addresses_source(const struct own_addresses *own, int family)
{
	const struct listen_address *found = NULL;
	for (size_t i = 0; i < own->listen_n; i++) {
		const struct listen_address *a = &own->listen[i];
		if (a->sa.any.sa_family == family) {
			if (found != NULL || listen_is_wildcard(a)) {
				return NULL;
			}
			found = a;
		}
	}
	return found;
}
