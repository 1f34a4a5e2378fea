/* net/env.h -- what every worker that answers has in common.
 */
#pragma once

#include <stdint.h>

#include "auth/server.h"
#include "net/served.h"

/* server_handle(), or a stand-in in tests. */
typedef size_t server_handler(const struct view *v, const struct server_conf *conf, const struct peer *peer,
                              uint64_t now_s, const uint8_t *req, size_t req_len, uint8_t *resp, size_t cap,
                              struct server_stats *stats, struct server_out *out);

/* Borrowed by the workers for as long as they live; does not change. */
struct net_env {
	struct served *served;
	const struct server_conf *conf;
	server_handler *handle;
	/* What a request asks for besides an answer (out->event is not EVENT_NONE).  On any worker, while it
	 * holds the view: must not block. */
	void (*event)(void *ctx, const struct peer *peer, const struct server_out *out);
	void *ctx;
};

/* Counters of one worker: written by its thread alone, read by any. */
struct net_stats {
	struct server_stats server;
	uint64_t oversized;    /* UDP: datagrams too long for us, dropped */
	uint64_t send_failed;  /* UDP: answers that the system did not take */
	uint64_t accepted;     /* TCP: connections */
	uint64_t refused;      /* TCP: closed at once, over a limit */
	uint64_t idle_closed;  /* TCP: closed by us, for time or for room */
};

/* By the worker's thread: no lock and no bus cycle, yet whole to whoever reads. */
static inline void
net_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* Seconds since 1970, as good as a TSIG needs it (RFC 8945 5.2.3 allows minutes), without a system call. */
uint64_t net_wall_s(void);

/* Adds all counters of one worker to a sum. */
void net_stats_add(struct net_stats *sum, const struct net_stats *worker);
