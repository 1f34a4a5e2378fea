/* net/tcp.h -- TCP (RFC 7766): each worker has an event loop and its own listener for each address.
 *
 * All queries that come with one read are answered with one write.  A waiting connection costs its struct and its socket: the buffers
 * belong to the loop, and only an incomplete message is kept for each connection.  While a client does not read its answers, nothing is
 * read from it.
 *
 * A connection ends when no whole message has come and no answer has gone for the idle time, or for a quarter of it when three quarters
 * of all places are taken.  When no place is free, a connection is closed to make room, chosen by what is open on it (net/seats.h).
 * Two kinds may be idle longer.  A connection whose request is answered later (an update) is given TCP_AWAIT_MS.  A kept connection, over
 * which a secondary is notified, stays as long as the peer is there.  Kept connections may have a fourth of all places of all workers.
 *
 * A zone transfer is sent one chunk for each turn of the loop, as fast as the peer takes it.  Only some transfers are under way at a time;
 * the others wait for their turn (auth/turns.h).  A transfer is dropped when its peer takes nothing for the idle time, when its peer takes
 * less than TURNS_RATE_MIN while others wait for its place, or when too much of what was replaced is kept for it (net/served.h).
 */
#pragma once

#include "base/err.h"
#include "net/clients.h"
#include "net/env.h"
#include "ops/gate.h"
#include "ops/pulse.h"

enum {
	TCP_READ_MAX = 32 * 1024,      /* octets read from one connection at a time */
	TCP_WRITE_MAX = 128 * 1024,    /* octets of answers that are gathered before they are written */
	/* Octets kept for the connections of one worker: incomplete messages, unread answers, and requests for transfers. */
	TCP_BUFFERED_MAX = 64 * 1024 * 1024,
	TCP_AWAIT_MS = 5 * 60 * 1000,
	TCP_DRAIN_MS = 1000,
};

struct tcp_worker;

struct tcp_conf {
	const struct net_env *env;
	struct gate *gate;       /* no connection is accepted before it is open; NULL: at once; borrowed */
	struct clients *clients; /* shared by all workers; borrowed */
	unsigned max;            /* connections in all workers, as clients_new() got it */
	uint32_t idle_ms;
	unsigned transfers_max;  /* transfers under way at a time in this worker; at least 1 */
	uint8_t number;          /* the worker's number, for the ids of its connections */
};

/* Starts a thread that serves connections to the `n` listeners (sockets of listen_open()).  The worker owns the sockets, even when
 * starting fails (E_NOMEM). */
err_t tcp_worker_start(const struct tcp_conf *conf, const int *listeners, size_t n, struct tcp_worker **out);

/* Has the worker end: it accepts no more connections, answers what has come over those that it has, and closes them, within TCP_DRAIN_MS.
 * The listeners are closed, and stay as they are for another process that has them, too. */
void tcp_worker_end(struct tcp_worker *w);

/* The same, and waits until it has ended.  NULL-safe.  Afterwards nobody may use the worker, not even to send. */
void tcp_worker_stop(struct tcp_worker **w);

const struct net_stats *tcp_worker_stats(const struct tcp_worker *w);
const struct pulse *tcp_worker_pulse(const struct tcp_worker *w); /* beats at least once in PULSE_PERIOD_MS */

/* ---- any thread ---- */

/* The number of the worker that has the connection (conf.number). */
static inline uint8_t
tcp_worker_of(uint64_t conn)
{
	return (uint8_t)(conn >> 56);
}

/* Sends a message over a connection that the peer has opened.  The message waits until no question of the peer is open, and is lost if the
 * connection has closed by then.  False: too much waits already. */
bool tcp_worker_send(struct tcp_worker *w, uint64_t conn, const uint8_t *bytes, size_t len);

/* Sends the answer to a request that was left open; len 0: there will be none.  For return_path_send(). */
void tcp_worker_answer(struct tcp_worker *w, uint64_t conn, const uint8_t *bytes, size_t len);

/* Ends the transfers whose pins were revoked, even if their peers take nothing at the moment, and begins to accept connections once the
 * gate is open. */
void tcp_worker_wake(struct tcp_worker *w);
