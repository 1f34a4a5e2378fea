/* net/tcp.h -- TCP (RFC 7766): an event loop a worker, each with a listener of its own.
 *
 * All that one read brings is answered with one write.  A connection that waits costs its struct and the
 * socket; the buffers are the loop's, and only what is left of an incomplete message is kept beside the
 * connection.  A client that does not read its answers is not read from either, until it does.
 *
 * A connection ends when no whole message has come, and no answer has gone, for the idle time; a quarter
 * of it when three quarters of all places are taken.  When none is free one goes, by what is open on it (net/seats.h).  One
 * whose request waits for an answer from elsewhere (an update's) is given TCP_AWAIT_MS, and one by which a secondary
 * hears of changes stays as long as the peer is there; a fourth of all places, over all workers, may be taken so.
 *
 * Zone transfers are sent a chunk a turn of the loop, as the peer takes them; of many some are under way and the others wait for
 * their turn (auth/turns.h).  A peer that takes nothing for the idle time is dropped; so is one that takes less than TURNS_RATE_MIN while
 * others wait for its place, and one for which too much is kept of what was replaced meanwhile (net/served.h).
 */
#pragma once

#include "base/err.h"
#include "net/clients.h"
#include "net/env.h"
#include "ops/pulse.h"

enum {
	TCP_READ_MAX = 32 * 1024,      /* octets taken from one connection at a time */
	TCP_WRITE_MAX = 128 * 1024,    /* answers gathered before they are written */
	TCP_HELD_MAX = 64 * 1024 * 1024, /* kept for connections of one worker: incomplete messages, unread answers */
	TCP_AWAIT_MS = 5 * 60 * 1000,
};

struct tcp_worker;

struct tcp_conf {
	const struct net_env *env;
	struct clients *clients; /* shared by all workers; borrowed */
	unsigned max;            /* connections in all workers, as clients_new() got it */
	uint32_t idle_ms;
	unsigned transfers_max;  /* under way at a time in this worker; at least 1 */
	uint8_t number;          /* of this worker, for the ids of its connections */
};

/* Starts a thread that serves connections to the `n` listeners (of listen_open()).  Takes them, also when it
 * fails (E_NOMEM). */
err_t tcp_worker_start(const struct tcp_conf *conf, const int *listeners, size_t n, struct tcp_worker **out);

/* Ends the thread and all its connections.  NULL-safe.  After it nobody may send by it. */
void tcp_worker_stop(struct tcp_worker **w);

const struct net_stats *tcp_worker_stats(const struct tcp_worker *w);
const struct pulse *tcp_worker_pulse(const struct tcp_worker *w); /* beats once a PULSE_PERIOD_MS at least */

/* ---- any thread ---- */

/* Which worker has a connection: conf.number. */
static inline uint8_t
tcp_worker_of(uint64_t conn)
{
	return (uint8_t)(conn >> 56);
}

/* Sends a message by a connection, if that is still there; once no question of its peer is open on it.  False: too much waits
 * already. */
bool tcp_worker_send(struct tcp_worker *w, uint64_t conn, const uint8_t *bytes, size_t len);

/* The same for the answer to a request that was left open; len 0: there is none.  For return_path_send(). */
void tcp_worker_answer(struct tcp_worker *w, uint64_t conn, const uint8_t *bytes, size_t len);

/* Transfers whose pins were revoked end, also those whose peers take nothing just now. */
void tcp_worker_end_revoked(struct tcp_worker *w);
