#include "net/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

bool
peer_from_sockaddr(const struct sockaddr *sa, enum transport t, struct peer *out)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)sa;
		out->family = 4;
		memcpy(out->address, &v4->sin_addr, 4);
		out->port = ntohs(v4->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)sa;
		out->family = 6;
		memcpy(out->address, &v6->sin6_addr, 16);
		out->port = ntohs(v6->sin6_port);
	} else {
		return false;
	}
	out->transport = t;
	return true;
}

err_t
peer_parse_address(const char *text, size_t len, struct key_address *out)
{
	char whole[INET6_ADDRSTRLEN];
	struct key_address a = { .family = 4 };
	if (len >= sizeof whole) {
		return E_FORMAT;
	}
	memcpy(whole, text, len);
	whole[len] = '\0';
	if (inet_pton(AF_INET, whole, a.octets) != 1) {
		a.family = 6;
		if (inet_pton(AF_INET6, whole, a.octets) != 1) {
			return E_FORMAT;
		}
	}
	*out = a;
	return OK;
}

void
peer_print(const struct peer *p, char out[PEER_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "?";
	(void)inet_ntop(p->family == 4 ? AF_INET : AF_INET6, p->address, host, sizeof host);
	snprintf(out, PEER_TEXT_MAX, "%s@%u", host, p->port);
}

void
peer_print_address(const struct key_address *a, uint16_t port, char out[PEER_TEXT_MAX])
{
	struct peer p = { .family = a->family, .port = port };
	memcpy(p.address, a->octets, sizeof p.address);
	peer_print(&p, out);
}
