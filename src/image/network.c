#include "image/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "image/mounts.h"
#include "image/rtnl.h"
#include "ops/clock.h"
#include "ops/files.h"

enum {
	APPEAR_MS = 10000, /* how long to wait for an interface: some drivers find theirs after they are loaded */
	SHOWN_MAX = INET6_ADDRSTRLEN + 4,
};

static err_t
fail(struct diag *diag, const char *what, const char *hint)
{
	diag_set(diag, DIAG_ERROR, "network", "%s: %s", what, strerror(errno));
	diag_hint(diag, "%s", hint);
	return E_IO;
}

/* The first one that is no loopback; 0: there is none. */
static unsigned
first_interface(char name[IF_NAMESIZE])
{
	unsigned found = 0;
	struct if_nameindex *all = if_nameindex();
	for (const struct if_nameindex *i = all; i != NULL && i->if_index != 0; i++) {
		if (strcmp(i->if_name, "lo") != 0 && (found == 0 || i->if_index < found)) {
			found = i->if_index;
			(void)snprintf(name, IF_NAMESIZE, "%s", i->if_name);
		}
	}
	if (all != NULL) {
		if_freenameindex(all);
	}
	return found;
}

/* The kernel tells this socket of each new interface. */
static int
open_watch(void)
{
	const struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&self, sizeof self) != 0) {
		file_close(&fd);
	}
	return fd;
}

static unsigned
await_interface(char name[IF_NAMESIZE])
{
	[[gnu::cleanup(file_close)]] int watch = open_watch();
	uint64_t end_ms = clock_ms() + APPEAR_MS, now_ms;
	unsigned found;
	char news[4096];
	while ((found = first_interface(name)) == 0 && watch >= 0 && (now_ms = clock_ms()) < end_ms) {
		struct pollfd p = { .fd = watch, .events = POLLIN };
		(void)poll(&p, 1, (int)(end_ms - now_ms));
		while (recv(watch, news, sizeof news, 0) > 0) {
		}
	}
	return found;
}

/* An administrator who gives the address of IPv6 wants this one alone. */
static void
ignore_routers(const char *name)
{
	char path[128];
	(void)snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/accept_ra", name);
	(void)kernel_setting(path, "0");
}

/* No network of ours has it.  Link-local addresses (RFC 4291 2.5.6) are on every link. */
static bool
is_far(const struct ip_address *own, const struct ip_address *gateway)
{
	bool is_link_local = gateway->family == AF_INET6 && gateway->octets[0] == 0xfe && (gateway->octets[1] & 0xc0) == 0x80;
	return !is_link_local && !ip_address_is_near(own, gateway);
}

static err_t
add_addresses(struct rtnl *r, unsigned interface, const struct settings *s, struct diag *diag)
{
	const struct ip_address *const own[] = { &s->ipv4, &s->ipv6 }, *const gateways[] = { &s->ipv4_gateway, &s->ipv6_gateway };
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (own[i]->family != 0 && rtnl_add_address(r, interface, own[i]) != OK) {
			return fail(diag, "cannot give the interface its address", "--ipv4 and --ipv6 must be addresses of a host");
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (gateways[i]->family != 0 && rtnl_add_gateway(r, interface, gateways[i], is_far(own[i], gateways[i])) != OK) {
			return fail(diag, "cannot use the gateway", "it must be the address of another host on the same link");
		}
	}
	return OK;
}

/* The C library reads the file when the program asks for a name. */
static err_t
write_resolver(const struct settings *s, struct diag *diag)
{
	char text[SETTINGS_NAME_SERVERS_MAX * (INET6_ADDRSTRLEN + sizeof "nameserver \n")];
	int len = 0;
	for (size_t i = 0; i < s->name_servers_n; i++) {
		len += snprintf(text + len, sizeof text - (size_t)len, "nameserver %s\n", s->name_servers[i]);
	}
	[[gnu::cleanup(file_close)]] int fd = open("/etc/resolv.conf", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || file_write(fd, text, (size_t)len) != OK) {
		return fail(diag, "/etc/resolv.conf", "the image is not complete, or the machine has too little memory");
	}
	return OK;
}

/* "" if there is none. */
static const char *
show(const struct ip_address *a, bool has_prefix, char out[SHOWN_MAX])
{
	out[0] = '\0';
	if (a->family != 0 && inet_ntop(a->family, a->octets, out, SHOWN_MAX) != NULL && has_prefix) {
		size_t len = strlen(out);
		(void)snprintf(out + len, SHOWN_MAX - len, "/%u", a->prefix);
	}
	return out;
}

static void
log_network(const struct log *log, const char *name, const struct settings *s)
{
	char four[SHOWN_MAX], six[SHOWN_MAX], four_gateway[SHOWN_MAX], six_gateway[SHOWN_MAX];
	bool has_address = s->ipv4.family != 0 || s->ipv6.family != 0;
	log_event(log, has_address ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "network",
	          "interface=%s ipv4=%s ipv4_gateway=%s ipv6=%s ipv6_gateway=%s hint=%s", name, show(&s->ipv4, true, four),
	          show(&s->ipv4_gateway, false, four_gateway), show(&s->ipv6, true, six), show(&s->ipv6_gateway, false, six_gateway),
	          has_address ? "" : "without --ipv4=ADDRESS/LENGTH there is only what IPv6 routers announce");
}

static err_t
set_up(struct rtnl *r, const struct settings *s, const struct log *log, struct diag *diag)
{
	char name[IF_NAMESIZE];
	unsigned loopback = if_nametoindex("lo");
	if (loopback == 0 || rtnl_set_up(r, loopback) != OK) {
		return fail(diag, "cannot set the loopback up", "the kernel is of another kind than expected");
	}
	unsigned interface = await_interface(name);
	if (interface == 0) {
		diag_set(diag, DIAG_ERROR, "network", "the machine has no network interface that the image has a driver for");
		diag_hint(diag, "give it one of virtio-net (PCI or MMIO), or of Xen");
		return E_NOTFOUND;
	}
	if (s->ipv6.family != 0) {
		ignore_routers(name);
	}
	if (rtnl_set_up(r, interface) != OK) {
		return fail(diag, "cannot set the interface up", "look at the settings of the hypervisor");
	}
	TRY(add_addresses(r, interface, s, diag));
	log_network(log, name, s);
	return OK;
}

err_t
network_up(const struct settings *s, const struct log *log, struct diag *diag)
{
	struct rtnl r;
	TRY(write_resolver(s, diag));
	if (rtnl_open(&r) != OK) {
		return fail(diag, "rtnetlink", "the kernel is of another kind than expected");
	}
	err_t err = set_up(&r, s, log, diag);
	rtnl_close(&r);
	return err;
}
