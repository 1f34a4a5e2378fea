#include "net/local_address.h"

#include <arpa/inet.h>
#include <linux/in6.h>
#include <string.h>
#include <unistd.h>

/* How far away an address still means this machine; nearest first. */
enum reach { REACH_HOST, REACH_LINK, REACH_SITE, REACH_ALL };

static enum reach
reach_of_ipv4(uint32_t address)
{
	static const struct {
		uint32_t net;
		unsigned len;
		enum reach reach;
	} nets[] = {
		{ 0x7F000000, 8, REACH_HOST },  /* RFC 1122 3.2.1.3 */
		{ 0xA9FE0000, 16, REACH_LINK }, /* RFC 3927 */
		{ 0x0A000000, 8, REACH_SITE },  /* RFC 1918 */
		{ 0xAC100000, 12, REACH_SITE },
		{ 0xC0A80000, 16, REACH_SITE },
		{ 0x64400000, 10, REACH_SITE }, /* RFC 6598 */
	};
	for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
		if ((address ^ nets[i].net) >> (32 - nets[i].len) == 0) {
			return nets[i].reach;
		}
	}
	return REACH_ALL;
}

static enum reach
reach_of_ipv6(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LOOPBACK(a)          ? REACH_HOST
	       : IN6_IS_ADDR_LINKLOCAL(a)       ? REACH_LINK
	       : (a->s6_addr[0] & 0xFE) == 0xFC ? REACH_SITE /* RFC 4193 */
	                                        : REACH_ALL;
}

static enum reach
reach_of(const struct sockaddr_storage *sa)
{
	if (sa->ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof in);
		return reach_of_ipv4(ntohl(in.sin_addr.s_addr));
	}
	struct sockaddr_in6 in6;
	memcpy(&in6, sa, sizeof in6);
	return reach_of_ipv6(&in6.sin6_addr);
}

const char *
local_address_doubt(const struct sockaddr_storage *local, const struct sockaddr_storage *server)
{
	switch (reach_of(local)) {
	case REACH_HOST:
		return "it leads every machine to itself";
	case REACH_LINK:
		return "it leads there on one network segment only";
	case REACH_SITE: /* a private address is fine when the server is private, too */
		return reach_of(server) == REACH_ALL ? "it is private, and the server is not in the private network" : NULL;
	default:
		return NULL;
	}
}

static err_t
find_one(const struct client_address *server, struct sockaddr_storage *out)
{
	int fd = socket(server->sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return E_IO;
	}
	if (server->sa.ss_family == AF_INET6) { /* prefer a permanent address to a temporary one (RFC 5014, RFC 8981) */
		const int public = IPV6_PREFER_SRC_PUBLIC;
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, &public, sizeof public);
	}
	socklen_t len = sizeof *out;
	bool is_found = connect(fd, (const struct sockaddr *)&server->sa, server->sa_len) == 0 &&
	                getsockname(fd, (struct sockaddr *)out, &len) == 0;
	(void)close(fd);
	return is_found ? OK : E_IO;
}

static void
print(const struct sockaddr_storage *sa, char out[INET6_ADDRSTRLEN])
{
	const void *octets = sa->ss_family == AF_INET ? (const void *)&((const struct sockaddr_in *)sa)->sin_addr
	                                              : (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr;
	ASSERT(inet_ntop(sa->ss_family, octets, out, INET6_ADDRSTRLEN) != NULL);
}

err_t
local_address_find(const struct client_addresses *servers, struct local_address *out)
{
	err_t err = E_IO;
	for (size_t i = 0; i < servers->n && err != OK; i++) {
		struct sockaddr_storage local = { 0 };
		err = find_one(&servers->list[i], &local);
		if (err == OK) {
			print(&local, out->text);
			out->doubt = local_address_doubt(&local, &servers->list[i].sa);
		}
	}
	return err;
}
