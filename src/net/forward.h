/* net/forward.h -- passes UPDATEs on to primaries: runs the machine of auth/forwarder.h on the loop of the follower's thread
 * (net/follow.h).
 *
 * Workers put updates into an inbox (net/inbox.h), which has a limit for all, and one for each key that updates claim to be signed with.
 * An update takes a place there until it is answered.  Copies of it, which clients send over UDP, take none; only the first copy is
 * answered.
 *
 * Threads: net_forward_take() and _stats() may be called from any thread between net_forward_new() and net_forward_free(); the rest
 * belongs to the loop's thread.  Updates that come while there is no loop wait for it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/env.h"
#include "net/follow_guest.h"
#include "ops/log.h"

enum {
	NET_FORWARD_PER_KEY = 64, /* updates of one key that are under way */
	NET_FORWARD_FILES = 32,   /* descriptors that it may need */
};

struct net_forward_conf {
	const struct server_conf *server;     /* borrowed, like `log` */
	const struct log *log;
	const struct view *(*view)(void *ctx); /* the present one; on the loop's thread */
	void *ctx;
};

struct net_forward;

struct net_forward *net_forward_new(const struct net_forward_conf *conf);
void net_forward_free(struct net_forward **nf); /* NULL-safe; after the follower's thread */

/* A worker has an update to pass on (EVENT_FORWARD).  Returns the length of an answer in `resp`; 0: it comes later, or never. */
size_t net_forward_take(struct net_forward *nf, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap);

/* For the follower's thread.  NULL: no guest. */
struct follow_guest net_forward_guest(struct net_forward *nf);

void net_forward_log_stats(struct net_forward *nf); /* NULL is fine */
