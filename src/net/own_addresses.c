#include "net/own_addresses.h"

#include <ifaddrs.h>

#include "net/peer.h"

static bool
read_address(const struct sockaddr *sa, struct notify_own *out)
{
	struct peer p;
	if (sa == NULL || !peer_from_sockaddr(sa, TRANSPORT_UDP, &p)) {
		return false;
	}
	*out = (struct notify_own){ .address = peer_key_address(&p), .port = p.port };
	return true;
}

static void
add(struct own_addresses *own, const struct notify_own *new)
{
	for (size_t i = 0; i < own->n; i++) {
		if (own->list[i].port == new->port && key_address_is_equal(&own->list[i].address, &new->address)) {
			return;
		}
	}
	if (own->n < OWN_ADDRESSES_MAX) {
		own->list[own->n++] = *new;
	}
}

/* Adds all addresses of the machine, with this port. */
static void
add_interfaces(struct own_addresses *own, uint16_t port)
{
	struct notify_own new;
	struct ifaddrs *all = NULL;
	if (getifaddrs(&all) != 0) {
		return;
	}
	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
		if (read_address(a->ifa_addr, &new)) {
			new.port = port;
			add(own, &new);
		}
	}
	freeifaddrs(all);
}

void
own_addresses_find(struct own_addresses *own)
{
	struct notify_own new;
	own->n = 0;
	for (size_t i = 0; i < own->listen_n; i++) {
		if (!read_address(&own->listen[i].sa.any, &new)) {
			continue;
		}
		add(own, &new);
		if (listen_is_wildcard(&own->listen[i])) {
			add_interfaces(own, new.port);
		}
	}
}

bool
own_addresses_are_loopback(const struct own_addresses *own)
{
	struct notify_own at;
	for (size_t i = 0; i < own->listen_n; i++) {
		if (!read_address(&own->listen[i].sa.any, &at) || !notify_is_loopback(&at.address)) {
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
