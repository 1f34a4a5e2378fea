/* net/env.h -- what all workers share: the published view, the handler of requests, callbacks, and the form of their counters.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/server.h"
#include "auth/transfer.h"
#include "base/now.h"
#include "net/seats.h"
#include "net/return_path.h"
#include "net/served.h"
#include "ops/clock.h"
#include "ops/histogram.h"

/* server_handle(), or a stand-in in tests. */
typedef size_t server_handler(const struct view *v, const struct server_conf *conf, const struct peer *peer,
                              uint64_t now_s, const uint8_t *req, size_t req_len, uint8_t *resp, size_t cap,
                              struct server_stats *stats, struct server_out *out);

/* A request that needs more than an answer.  Everything in it is borrowed for the call. */
struct net_request {
	const struct return_path *from;
	const struct view *view;
	const uint8_t *bytes;
	size_t len;
	uint64_t now_s;
	uint64_t conn; /* the id of its connection if that is kept (net/tcp_p.h), for tcp_worker_send() and the callbacks below; else 0 */
};

enum transfer_end {
	TRANSFER_DONE,
	TRANSFER_PEER_GONE,
	TRANSFER_STALLED,  /* the peer took nothing for too long, or the transfer took longer than any transfer may */
	TRANSFER_REVOKED,  /* too much was replaced since it began: served_pin_is_revoked() */
	TRANSFER_SLOW,     /* it was slow while others waited: turns_too_slow() */
	TRANSFER_CROWDED,  /* too many waited: turns_one_too_many() */
	TRANSFER_EVICTED,  /* its connection was closed to make room for another: net/seats.h */
	TRANSFER_FAILED,   /* it could not begin, or could not continue */
};

/* Describes a transfer that has ended.  Everything in it is borrowed for the call. */
struct net_transferred {
	const struct peer *to;
	const struct name *zone, *key; /* key->len 0: not signed */
	const struct transfer_report *report; /* NULL: it had not begun */
	enum transfer_end how;
	uint64_t waited_ms, took_ms; /* how long it waited for its turn, and how long it then took */
	size_t kept_octets; /* TRANSFER_REVOKED: served_pin_kept_octets() */
};

/* Borrowed by the workers for as long as they live; does not change.  Callbacks may come on any worker's thread and must not
 * block.  A callback that is NULL is not called.
 *
 * Locks: no callback waits for a lock that is held while zones, secondaries or updates are walked.  These are the locks that callbacks
 * take; each is held for a few instructions, or for one allocation where something is put into a queue:
 *   event                  for an update, the lock of net/inbox.h; for a NOTIFY, the lock of the list of earlier NOTIFYs, which has a
 *                          fixed length; for a secondary, the lock of net/notify_out.h, and inside it the lock of
 *                          net/secondary_queue.h
 *   response, closed       the lock of net/notify_out.h, and inside it the lock of net/notify_queue.h
 *   transferred            the lock of the table of secondaries (bin/oprimary_state.h)
 *   all that log a line    the lock of ops/log_ring.h, while the line is copied */
struct net_env {
	struct served *served;
	const struct server_conf *conf;
	server_handler *handle;

	/* Called when a request needs more than an answer (out->event is not EVENT_NONE), while the view is held.  If the handler gave
	 * no answer, the callback may write one to resp[0, cap) and return its length.  It returns 0 when the answer comes later by
	 * the return path, or never. */
	size_t (*event)(void *ctx, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap);

	/* TCP: a transfer has ended, or one that waited for its turn was given up. */
	void (*transferred)(void *ctx, const struct net_transferred *t);

	/* TCP: a connection is closed to make room for another.  Its rank tells what was open on it. */
	void (*evicted)(void *ctx, const struct peer *peer, enum seat_rank rank);

	/* TCP: a response has come over a kept connection (net/tcp_p.h), or a kept connection has closed. */
	void (*response)(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len);
	void (*closed)(void *ctx, uint64_t conn);
	void *ctx;
};

/* Counters of one worker.  Its own thread writes them, any thread may read them. */
struct net_stats {
	struct server_stats server;
	uint64_t oversized;    /* UDP: datagrams that were longer than a message may be, and were dropped */
	uint64_t send_failed;  /* UDP: answers that the system did not take */
	uint64_t accepted;     /* TCP: connections */
	uint64_t refused;      /* TCP: connections closed at once, because of a limit */
	uint64_t idle_closed;  /* TCP: connections that we closed because they were idle */
	uint64_t evicted;      /* TCP: connections that we closed to make room */
	uint64_t transfers;    /* TCP: transfers that have begun */
	uint64_t transfers_cut; /* TCP: transfers that ended too early or did not even begin */
	struct histogram answering; /* nanoseconds for one request in NET_SAMPLED, by net_answering_bounds */
};

/* To look at the clock for each request would cost too much. */
enum { NET_SAMPLED = 1024 };
extern const struct histogram_bounds net_answering_bounds;

/* Called by the worker's own thread.  It takes no lock and locks no bus, and a reader still never sees half a number. */
static inline void
net_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* Seconds since 1970, without a system call.  Exact enough for TSIG, which allows minutes (RFC 8945 5.2.3). */
uint64_t net_wall_s(void);

/* For rate limits: of the clock of net_now(), but exact to some milliseconds, without a system call. */
uint64_t net_coarse_ns(void);

/* Around the handler, for one request in NET_SAMPLED of that transport.  0: this one is not sampled. */
static inline uint64_t
net_sample_begin(const struct net_stats *s, enum transport t)
{
	return s->server.queries[t] % NET_SAMPLED == 0 ? clock_ns() : 0;
}
void net_sample_end(struct net_stats *s, uint64_t begun_ns); /* not for 0 */

struct now net_now(void); /* for a state machine */

/* Adds all counters of one worker to a sum. */
void net_stats_add(struct net_stats *sum, const struct net_stats *worker);
