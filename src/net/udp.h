/* net/udp.h -- UDP: each worker is a thread with a socket for each address, and takes and sends datagrams in batches.
 *
 * recvmmsg takes what has come to a socket, up to a batch.  Each request is answered into a buffer of the worker, and sendmmsg sends all
 * answers together.  A query costs no allocation, no lock and no log line.
 *
 * A batch costs two system calls.  A worker with one socket waits in recvmmsg.  A worker with several sockets needs a third call: it waits
 * for all of them with epoll, and serves one batch from each socket that has something.
 */
#pragma once

#include "base/err.h"
#include "net/env.h"
#include "ops/gate.h"
#include "ops/pulse.h"

enum {
	UDP_BATCH = 64,
	UDP_SOCKETS_MAX = 64, /* sockets of one worker */
	/* Octets of a request: as many as a datagram can have.  We announce 1232 octets (EDNS), but a client sends an UPDATE without
	 * having asked, and would repeat it again and again if it got no answer.  Only large requests touch the memory: 4 MiB for each
	 * worker at most. */
	UDP_REQUEST_MAX = 65535,
};

struct udp_worker;

/* Starts a thread that answers on the `n` sockets (of listen_open(); UDP_SOCKETS_MAX at most), once the gate is open (NULL: at once).  The
 * worker owns the sockets, even when starting fails (E_NOMEM: no thread or no memory; E_IO: no epoll). */
err_t udp_worker_start(const struct net_env *env, struct gate *gate, const int *fds, size_t n, struct udp_worker **out);

/* Ends the thread, without waiting for input, and closes the sockets.  What it has read is answered.  The gate must not be shut.
 * NULL-safe. */
void udp_worker_stop(struct udp_worker **w);

const struct net_stats *udp_worker_stats(const struct udp_worker *w);
const struct pulse *udp_worker_pulse(const struct udp_worker *w); /* beats at least once in PULSE_PERIOD_MS */
