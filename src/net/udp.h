/* net/udp.h -- UDP: one thread a worker, which has a socket for each address; batches in, batches out.
 *
 * recvmmsg takes what has come to a socket, up to a batch; each request is answered into a buffer that is the
 * worker's own, and sendmmsg sends them together.  No allocation, no lock, no log line for a query.
 *
 * Two system calls a batch.  A worker with one socket waits in recvmmsg; one with several waits for all of them
 * (epoll), a third call, and gives each that has something its turn.
 */
#pragma once

#include "base/err.h"
#include "net/env.h"
#include "ops/pulse.h"

enum {
	UDP_BATCH = 64,
	UDP_SOCKETS_MAX = 64, /* of one worker */
	/* Octets of a request: the longest that a datagram can have.  We announce 1232, but an UPDATE goes without asking, and silence
	 * would have its client send it again and again.  Memory is touched by those who send so much: 4 MiB a worker at most. */
	UDP_REQUEST_MAX = 65535,
};

struct udp_worker;

/* Starts a thread that answers on the `n` sockets (of listen_open(); UDP_SOCKETS_MAX at most).  Takes them, also when it
 * fails (E_NOMEM: no thread or no memory; E_IO: the system has no means to wait for several). */
err_t udp_worker_start(const struct net_env *env, const int *fds, size_t n, struct udp_worker **out);

/* Ends the thread (at once, also when nothing comes in), closes the sockets.  NULL-safe. */
void udp_worker_stop(struct udp_worker **w);

const struct net_stats *udp_worker_stats(const struct udp_worker *w);
const struct pulse *udp_worker_pulse(const struct udp_worker *w); /* beats once a PULSE_PERIOD_MS at least */
