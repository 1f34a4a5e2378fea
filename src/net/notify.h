/* net/notify.h -- NOTIFY out over the network: a thread with auth/notifier.h in it.
 *
 * It has a UDP socket for each family, and for each source that targets have, up to a limit; and it connects to targets by TCP (at most
 * NOTIFIER_EXCHANGES_MAX descriptors, and some for itself).  Peers' own connections belong to others: what is to go over one is given
 * to `send_over`, and what comes over one is brought by net_notify_conn_input().
 *
 * Threads: net_notify_add(), _conn_input(), _conn_closed() and _stats() may be called from any, at any time between start
 * and stop; they put something into a queue and never wait for the network.  The callbacks come from the notifier's own
 * thread; they must not block, and must not call back in, but for _add() and its like, which is fine.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/notifier.h"
#include "base/diag.h"
#include "base/err.h"
#include "net/listen.h"
#include "ops/pulse.h"

struct net_notify_conf {
	/* Where messages come from, so that secondaries know us, unless their target has a source; the port does not count.  NULL: as the
	 * system likes. */
	const struct listen_address *source_v4, *source_v6;
	/* Over the peer's own connection; false: it is gone. */
	bool (*send_over)(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len);
	void (*report)(void *ctx, const struct notifier_report *r);
	void *ctx;
};

struct net_notify;

/* Starts the thread; `conf` is copied, the addresses with it.  A family that the machine does not have is done without,
 * unless it has a source address: then E_UNSUPPORTED (`diag` says which), as for an address that is not ours.
 * E_NOMEM, E_IO. */
err_t net_notify_start(const struct net_notify_conf *conf, struct net_notify **out, struct diag *diag);

/* Ends the thread; what is pending is forgotten.  NULL-safe.  Nobody else may be calling in any more. */
void net_notify_stop(struct net_notify **nn);

/* As notifier_add(); everything is copied.  E_LIMIT, E_NOMEM: not taken, and counted as over the limit. */
err_t net_notify_add(struct net_notify *nn, const struct notify_news *news, const struct notify_target *to);

/* A message that came over a peer's own connection, or its end, after which nothing may come of it. */
void net_notify_conn_input(struct net_notify *nn, uint64_t conn, const uint8_t *bytes, size_t len);
void net_notify_conn_closed(struct net_notify *nn, uint64_t conn);

void net_notify_stats(struct net_notify *nn, struct notifier_stats *out);

const struct pulse *net_notify_pulse(const struct net_notify *nn); /* beats once a PULSE_PERIOD_MS at least */
