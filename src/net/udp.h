/* net/udp.h -- UDP: one thread a socket, batches in, batches out.
 *
 * recvmmsg blocks until something is there and takes what has come, up to a batch; each request is
 * answered into a buffer that is the worker's own, and sendmmsg sends them together.  No allocation, no
 * lock, no log line for a query.
 */
#pragma once

#include "base/err.h"
#include "net/env.h"
#include "net/listen.h"
#include "ops/pulse.h"

enum {
	UDP_BATCH = 64,
	/* Octets of a request: the longest that a datagram can have.  We announce 1232, but an UPDATE goes without asking, and silence
	 * would have its client send it again and again.  Memory is touched by those who send so much: 4 MiB a worker at most. */
	UDP_REQUEST_MAX = 65535,
};

struct udp_worker;

/* Starts a thread that answers on `fd`, a socket of listen_open() at `at`.  Takes the socket, also when it
 * fails (E_NOMEM: no thread or no memory). */
err_t udp_worker_start(const struct net_env *env, int fd, const struct listen_address *at, struct udp_worker **out);

/* Ends the thread (at once, also when nothing comes in), closes the socket.  NULL-safe. */
void udp_worker_stop(struct udp_worker **w);

const struct net_stats *udp_worker_stats(const struct udp_worker *w);
const struct pulse *udp_worker_pulse(const struct udp_worker *w); /* beats once a PULSE_PERIOD_MS at least */
