/* net/env.h -- what every worker that answers has in common.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/server.h"
#include "auth/transfer.h"
#include "net/seats.h"
#include "net/return_path.h"
#include "net/served.h"

/* server_handle(), or a stand-in in tests. */
typedef size_t server_handler(const struct view *v, const struct server_conf *conf, const struct peer *peer,
                              uint64_t now_s, const uint8_t *req, size_t req_len, uint8_t *resp, size_t cap,
                              struct server_stats *stats, struct server_out *out);

/* A request that asks for more than an answer; all of it is borrowed for the call. */
struct net_request {
	const struct return_path *from;
	const struct view *view;
	const uint8_t *bytes;
	size_t len;
	uint64_t now_s;
	uint64_t conn; /* TCP: its connection, for tcp_send() and the callbacks below; UDP: 0 */
};

enum transfer_end {
	TRANSFER_DONE,
	TRANSFER_PEER_GONE,
	TRANSFER_STALLED,  /* the peer took nothing for too long, or too little in all the time that there is */
	TRANSFER_REVOKED,  /* too much was replaced since it began: served_pin_is_revoked() */
	TRANSFER_SLOW,     /* it was in the way of others: turns_too_slow() */
	TRANSFER_CROWDED,  /* too many waited: turns_one_too_many() */
	TRANSFER_EVICTED,  /* its connection went for another: net/seats.h */
	TRANSFER_FAILED,   /* it could not begin, or not go on */
};

/* Of a transfer that has ended; all of it is borrowed for the call. */
struct net_transferred {
	const struct peer *to;
	const struct name *zone, *key; /* key->len 0: not signed */
	const struct transfer_report *report; /* NULL: it had not begun */
	enum transfer_end how;
	uint64_t waited_ms, took_ms; /* for its turn, and from then on */
	size_t held; /* TRANSFER_REVOKED: octets of replaced versions that were kept for it, and for others as slow */
};

/* Borrowed by the workers for as long as they live; does not change.  The callbacks come on any worker and must not
 * block; those that are NULL are not wanted.
 *
 * Locks: no callback waits for one that is held while zones, secondaries or updates are walked.  Each of these is held for a few
 * instructions, and where something is put, for one allocation:
 *   event                  of an update: the inbox's (net/inbox.h); of a NOTIFY: that of the list of those that came before, of fixed
 *                          length; of a secondary: that of net/notify_out.h, and in it the one of net/secondary_queue.h
 *   response, closed       that of net/notify_out.h, and in it the one of net/notify_queue.h
 *   transferred            that of the table of secondaries (bin/oprimary_state.h)
 *   all that log a line    the log ring's, while the line is copied (ops/log_ring.h) */
struct net_env {
	struct served *served;
	const struct server_conf *conf;
	server_handler *handle;

	/* What a request asks for besides an answer (out->event is not EVENT_NONE), while the view is held.  Where the handler gave no
	 * answer, it may write one to resp[0, cap) and return its length; 0: it comes later, by the return path, or never. */
	size_t (*event)(void *ctx, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap);

	/* TCP: a transfer has ended, or one that waited for its turn waits no more. */
	void (*transferred)(void *ctx, const struct net_transferred *t);

	/* TCP: a connection goes for another; what was open on it. */
	void (*evicted)(void *ctx, const struct peer *peer, enum seat_rank rank);

	/* TCP, of connections that tcp_keep() was called for: a response came; it has closed. */
	void (*response)(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len);
	void (*closed)(void *ctx, uint64_t conn);
	void *ctx;
};

/* Counters of one worker: written by its thread alone, read by any. */
struct net_stats {
	struct server_stats server;
	uint64_t oversized;    /* UDP: datagrams longer than a message may be, dropped */
	uint64_t send_failed;  /* UDP: answers that the system did not take */
	uint64_t accepted;     /* TCP: connections */
	uint64_t refused;      /* TCP: closed at once, over a limit */
	uint64_t idle_closed;  /* TCP: closed by us, for time */
	uint64_t evicted;      /* TCP: closed by us, for room */
	uint64_t transfers;    /* TCP: begun */
	uint64_t transfers_cut; /* TCP: not sent to the end, those included that were not begun */
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
