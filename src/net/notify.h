/* net/notify.h -- sends NOTIFY messages (RFC 1996): a thread that runs the state machine of auth/notifier.h on the network.
 *
 * It has a UDP socket for each address family, and one for each source address that targets ask for, up to a limit.  It connects to
 * targets by TCP; for that it needs NOTIFIER_EXCHANGES_MAX descriptors at most, and a few for itself.  Connections that a peer has opened
 * belong to the TCP workers.  A message that is to go over such a connection is given to `send_over`; a message that came over one is
 * passed in by net_notify_conn_input().
 *
 * Threads: net_notify_add(), _conn_input(), _conn_closed() and _stats() may be called from any thread, at any time between start
 * and stop.  They put an entry into a queue and never wait for the network.  The callbacks run on the notifier's own thread.  They must
 * not block, and may call none of the functions here except these four.
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
	/* The source address of messages, by which secondaries know us, unless the target names another one.  The port does not matter.
	 * NULL: the system chooses. */
	const struct listen_address *source_v4, *source_v6;
	/* Sends over a connection that the peer has opened.  False: the connection is gone. */
	bool (*send_over)(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len);
	void (*report)(void *ctx, const struct notifier_report *r);
	void *ctx;
};

struct net_notify;

/* Starts the thread; `conf` and its addresses are copied.  A family that the machine does not have is left out.  E_UNSUPPORTED: a
 * source address was given and this machine does not have it or its family; `diag` says which.  E_NOMEM, E_IO. */
err_t net_notify_start(const struct net_notify_conf *conf, struct net_notify **out, struct diag *diag);

/* Ends the thread and forgets what is pending.  NULL-safe.  No other thread may still be calling in. */
void net_notify_stop(struct net_notify **nn);

/* As notifier_add(); everything is copied.  E_LIMIT, E_NOMEM: it was not taken, and counts as over the limit. */
err_t net_notify_add(struct net_notify *nn, const struct notify_news *news, const struct notify_target *to);

/* A message came over a connection that the peer has opened; such a connection has closed, and nothing more will come over it. */
void net_notify_conn_input(struct net_notify *nn, uint64_t conn, const uint8_t *bytes, size_t len);
void net_notify_conn_closed(struct net_notify *nn, uint64_t conn);

void net_notify_stats(struct net_notify *nn, struct notifier_stats *out);

const struct pulse *net_notify_pulse(const struct net_notify *nn); /* beats at least once in PULSE_PERIOD_MS */
