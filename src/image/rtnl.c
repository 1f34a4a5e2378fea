#include "image/rtnl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 256, ANSWER_MAX = 1024 };

struct request {
	struct nlmsghdr head;
	uint8_t rest[REQUEST_MAX];
};

err_t
rtnl_open(struct rtnl *r)
{
	*r = (struct rtnl){ .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE) };
	return r->fd >= 0 ? OK : E_IO;
}

void
rtnl_close(struct rtnl *r)
{
	close(r->fd);
}

static struct request
begin(uint16_t type, uint16_t flags, const void *body, size_t len)
{
	struct request q = { .head = { .nlmsg_len = (uint32_t)NLMSG_LENGTH(len), .nlmsg_type = type,
		                       .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags) } };
	memcpy(q.rest, body, len);
	return q;
}

static void
attach(struct request *q, uint16_t type, const void *value, size_t len)
{
	size_t at = NLMSG_ALIGN(q->head.nlmsg_len) - sizeof q->head;
	struct rtattr a = { .rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type };
	ASSERT(at + RTA_SPACE(len) <= sizeof q->rest);
	memcpy(q->rest + at, &a, sizeof a);
	memcpy(q->rest + at + RTA_LENGTH(0), value, len);
	q->head.nlmsg_len = (uint32_t)(sizeof q->head + at + RTA_LENGTH(len));
}

/* Takes the kernel's messages until one is about our request. */
static err_t
await(const struct rtnl *r)
{
	for (;;) {
		alignas(struct nlmsghdr) uint8_t answer[ANSWER_MAX];
		ssize_t n = recv(r->fd, answer, sizeof answer, 0);
		if (n < 0 && errno != EINTR) {
			return E_IO;
		}
		struct nlmsghdr head;
		struct nlmsgerr result;
		if (n < (ssize_t)(sizeof head + sizeof result)) {
			continue;
		}
		memcpy(&head, answer, sizeof head);
		memcpy(&result, answer + NLMSG_HDRLEN, sizeof result);
		if (head.nlmsg_type == NLMSG_ERROR && head.nlmsg_seq == r->sequence) {
			errno = -result.error;
			return result.error == 0 ? OK : E_IO;
		}
	}
}

static err_t
ask(struct rtnl *r, struct request *q)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	q->head.nlmsg_seq = ++r->sequence;
	if (sendto(r->fd, q, q->head.nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof kernel) < 0) {
		return E_IO;
	}
	return await(r);
}

err_t
rtnl_set_up(struct rtnl *r, unsigned interface)
{
	const struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = (int)interface, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct request q = begin(RTM_NEWLINK, 0, &body, sizeof body);
	return ask(r, &q);
}

/* Without duplicate address detection (RFC 4862 5.4): while it is under way, a server cannot bind to the address. */
err_t
rtnl_add_address(struct rtnl *r, unsigned interface, const struct ip_address *address)
{
	const struct ifaddrmsg body = { .ifa_family = (uint8_t)address->family, .ifa_prefixlen = (uint8_t)address->prefix,
		                        .ifa_flags = address->family == AF_INET6 ? IFA_F_NODAD : 0, .ifa_index = interface };
	struct request q = begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
	attach(&q, IFA_LOCAL, address->octets, ip_address_len(address));
	attach(&q, IFA_ADDRESS, address->octets, ip_address_len(address));
	return ask(r, &q);
}

err_t
rtnl_add_gateway(struct rtnl *r, unsigned interface, const struct ip_address *gateway, bool is_far)
{
	const struct rtmsg body = { .rtm_family = (uint8_t)gateway->family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
		                    .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST, .rtm_flags = is_far ? RTNH_F_ONLINK : 0 };
	struct request q = begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
	attach(&q, RTA_GATEWAY, gateway->octets, ip_address_len(gateway));
	attach(&q, RTA_OIF, &interface, sizeof interface);
	return ask(r, &q);
}
