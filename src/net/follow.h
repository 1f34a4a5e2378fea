/* net/follow.h -- follows primaries: a thread that runs the state machine of auth/follower.h on the network.
 *
 * A link is a TCP connection that we open (net/dial.h).  Responses that come over it go to the machine.  Requests that come over it
 * (NOTIFY) go to `request`, whose answer is sent back over the link.  TCP's keepalive finds out when the peer of a silent link is gone.
 *
 * Threads: net_follow_notice(), _notices_dropped(), _stats() and _wake() may be called from any thread between new and stop.  They put
 * an entry into a bounded queue (net/notice_queue.h), copy counters, or set a flag, and never wait for the network.  All callbacks, also
 * those of the machine, run on the thread that is started here, and may call these four.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/follower.h"
#include "auth/server.h"
#include "base/diag.h"
#include "base/err.h"
#include "net/follow_guest.h"
#include "net/listen.h"
#include "ops/pulse.h"

enum {
	NET_FOLLOW_FILES = FOLLOWER_LINKS_MAX + FOLLOWER_UDP_MAX + 8, /* descriptors that it may need */
};

struct net_follow_conf {
	/* take, show, restore, belongs, report, octets_max and io.ctx are the caller's; open, send, close, udp_* and random_u32 are set
	 * here */
	struct follower_conf machine;
	const struct follow_source *sources; /* copied; the keys and domains in them are borrowed */
	size_t sources_n;
	const struct name *catalogs;         /* borrowed until net_follow_new() returns */
	size_t catalogs_n;
	/* Where questions come from, unless the source says otherwise; the port does not matter.  NULL, or a loopback address for a primary
	 * elsewhere: the system chooses. */
	const struct listen_address *from_v4, *from_v6;
	/* Answers a request that came over a link; returns the length of the answer, 0: none. */
	size_t (*request)(void *ctx, const struct peer *from, const uint8_t *bytes, size_t len, uint8_t *resp, size_t cap);
	void (*woken)(void *ctx);            /* after net_follow_wake() */
	struct follow_guest guest;           /* begun and ended with the thread's loop */
	void *ctx;                           /* for request() and woken() */
};

struct net_follow;

/* Makes the machine, with its sources and catalogs.  E_LIMIT: too many of them; E_NOTFOUND, E_EXISTS: of a catalog (diag says what).
 * E_NOMEM. */
err_t net_follow_new(const struct net_follow_conf *conf, struct net_follow **out, struct diag *diag);

/* Starts the thread.  Before that, the machine is the caller's: for follower_restore().  E_NOMEM. */
err_t net_follow_start(struct net_follow *nf, struct diag *diag);

/* Ends the thread, if it was started; links are closed, and the machine hears no more.  NULL-safe.  No other thread may still be calling
 * in.  False: the thread is still busy after `limit_ms`, so nothing that it uses may be freed; this may be called again. */
bool net_follow_stop(struct net_follow **nf, unsigned limit_ms);

/* What a request that the server has answered tells the follower.  False: nothing, as it is no NOTIFY that counts. */
bool net_follow_notice_of(const struct peer *from, const struct server_out *out, const uint8_t *bytes, size_t len, struct follow_notice *n);

/* Copies the notice.  When the queue is full, it is dropped and counted. */
void net_follow_notice(struct net_follow *nf, const struct follow_notice *n);
uint64_t net_follow_notices_dropped(struct net_follow *nf);
void net_follow_stats(struct net_follow *nf, struct follower_stats *out); /* as they were when the thread waited last */

void net_follow_wake(struct net_follow *nf);

/* On its own thread: for follower_each() and follower_stats(). */
struct follower *net_follow_machine(const struct net_follow *nf);

/* Beats at least once in PULSE_PERIOD_MS, unless the end of a large transfer takes longer. */
const struct pulse *net_follow_pulse(const struct net_follow *nf);
