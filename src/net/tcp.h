/* net/tcp.h -- TCP (RFC 7766): an event loop a worker, each with a listener of its own.
 *
 * All that one read brings is answered with one write.  A connection that waits costs its struct and the
 * socket; the buffers are the loop's, and only what is left of an incomplete message is kept beside the
 * connection.  A client that does not read its answers is not read from either, until it does.
 *
 * A connection ends when no whole message has come, and no answer has gone, for the idle time; a quarter
 * of it when three quarters of all places are taken.  When none is free the longest idle one goes.
 */
#pragma once

#include "base/err.h"
#include "net/clients.h"
#include "net/env.h"

enum {
	TCP_READ_MAX = 32 * 1024,      /* octets taken from one connection at a time */
	TCP_WRITE_MAX = 128 * 1024,    /* answers gathered before they are written */
	TCP_HELD_MAX = 64 * 1024 * 1024, /* kept for connections of one worker: incomplete messages, unread answers */
};

struct tcp_worker;

struct tcp_conf {
	const struct net_env *env;
	struct clients *clients; /* shared by all workers; borrowed */
	unsigned max;            /* connections in all workers, as clients_new() got it */
	uint32_t idle_ms;
};

/* Starts a thread that serves connections to the `n` listeners (of listen_open()).  Takes them, also when it
 * fails (E_NOMEM). */
err_t tcp_worker_start(const struct tcp_conf *conf, const int *listeners, size_t n, struct tcp_worker **out);

/* Ends the thread and all its connections.  NULL-safe. */
void tcp_worker_stop(struct tcp_worker **w);

const struct net_stats *tcp_worker_stats(const struct tcp_worker *w);
