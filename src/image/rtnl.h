/* image/rtnl.h -- sets up an interface by rtnetlink(7): up, its addresses, and routes through gateways.
 *
 * Each call sends one request and waits for the kernel's word on it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "image/settings.h"

struct rtnl {
	int fd;
	uint32_t sequence;
};

/* All of these: E_IO with errno. */
err_t rtnl_open(struct rtnl *r);
void rtnl_close(struct rtnl *r);

err_t rtnl_set_up(struct rtnl *r, unsigned interface);
err_t rtnl_add_address(struct rtnl *r, unsigned interface, const struct ip_address *address);

/* The default route of the gateway's family.  `is_far`: no network of ours has the gateway, and it is on the interface all the same. */
err_t rtnl_add_gateway(struct rtnl *r, unsigned interface, const struct ip_address *gateway, bool is_far);
