#include "net/client_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

static bool
add_address(struct client_addresses *to, const struct addrinfo *ai)
{
	if (to->n == CLIENT_ADDRESSES_MAX || ai->ai_addrlen > sizeof to->list[0].sa) {
		return false;
	}
	struct client_address *a = &to->list[to->n++];
	char host[NI_MAXHOST], port[NI_MAXSERV];
	memcpy(&a->sa, ai->ai_addr, ai->ai_addrlen);
	a->sa_len = ai->ai_addrlen;
	if (getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof host, port, sizeof port,
	                NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
		(void)snprintf(a->text, sizeof a->text, "%.60s port %.8s", host, port);
	}
	return true;
}

static err_t
look_up(const char *host, uint16_t port, struct client_addresses *to, char why[CLIENT_WHY_MAX])
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV }, *found = NULL;
	char service[8];
	(void)snprintf(service, sizeof service, "%u", (unsigned)port);
	int rc = getaddrinfo(host, service, &hints, &found);
	if (rc != 0) {
		(void)snprintf(why, CLIENT_WHY_MAX, "%.200s: %s", host,
		               rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
		return E_NOTFOUND;
	}
	for (const struct addrinfo *ai = found; ai != NULL && add_address(to, ai); ai = ai->ai_next) {
	}
	freeaddrinfo(found);
	return OK;
}

err_t
client_resolve(const char *host, uint16_t port, struct client_addresses *out, char why[CLIENT_WHY_MAX])
{
	struct client_addresses to = { .n = 0 };
	size_t len = host != NULL ? strlen(host) : 0;
	if (host == NULL) {
		TRY(look_up("::1", port, &to, why));
		TRY(look_up("127.0.0.1", port, &to, why));
	} else if (len > 2 && len < NI_MAXHOST && host[0] == '[' && host[len - 1] == ']') {
		char inner[NI_MAXHOST];
		memcpy(inner, host + 1, len - 2);
		inner[len - 2] = '\0';
		TRY(look_up(inner, port, &to, why));
	} else {
		TRY(look_up(host, port, &to, why));
	}
	*out = to;
	return OK;
}

bool
client_is_address(const char *text)
{
	uint8_t octets[16];
	return inet_pton(AF_INET, text, octets) == 1 || inet_pton(AF_INET6, text, octets) == 1;
}
