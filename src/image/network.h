/* image/network.h -- brings the machine's network up: its first interface, addresses, gateways, and where it asks for names.
 *
 * An address of IPv6 that nobody gave comes from the network's routers, if they announce a prefix (RFC 4862).
 */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "image/settings.h"
#include "ops/log.h"

/* Waits some seconds for an interface to appear.  E_NOTFOUND: there is none; E_IO. */
err_t network_up(const struct settings *s, const struct log *log, struct diag *diag);
