/* net/front.h -- the side of a daemon that strangers reach: its sockets, the workers that answer on them, and their counters.
 *
 * Each worker has a thread for UDP and one for TCP, and each of these a socket for each address (SO_REUSEPORT).  They answer from the
 * view that is published (net/served.h), as struct net_env says; where zones come from is not known here.
 *
 * A front comes up in steps, because of what a daemon does between them: it is allowed descriptors and binds ports while it has its
 * privileges, and starts threads once it has given them up.
 *
 *     front_init ─ front_allow_files ─ front_open ─ front_start …… front_stop ─ front_close
 *
 * Threads: all on one, but for front_end_revoked().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "net/clients.h"
#include "net/env.h"
#include "net/listen.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "ops/health.h"
#include "ops/log.h"

enum {
	FRONT_LISTEN_MAX = UDP_SOCKETS_MAX,
	FRONT_WORKERS_MAX = 256, /* a connection's id has eight bits for its worker */
};

struct front_conf {
	struct listen_address listen[FRONT_LISTEN_MAX];
	size_t listen_n;
	bool is_listen_default;  /* every address: one that the machine does not have is left out */
	unsigned workers;
	unsigned tcp_max;        /* connections, */
	unsigned tcp_per_client; /* and those of one client */
	uint32_t tcp_idle_ms;
	unsigned transfers_max;  /* under way at a time */
};

struct front {
	struct front_conf conf;     /* less than what was asked for, where the system does not have that */
	const struct log *log;      /* borrowed */
	/* sockets: address i of worker w is at w * conf.listen_n + i; -1: a worker has it */
	int *udp_fds, *tcp_fds;     /* owned */
	struct clients *clients;    /* owned: the table for the limits of connections */
	struct udp_worker **udp;    /* owned */
	struct tcp_worker **tcp;    /* owned; by the numbers in connections' ids (tcp_worker_of()) */
	size_t udp_n, tcp_n;        /* that run */
};

/* Copies `conf`, whose numbers are within their limits. */
void front_init(struct front *f, const struct front_conf *conf, const struct log *log);

/* Has the system allow as many descriptors as the front may need, and `others` for the rest of the daemon.  Where it allows less, fewer
 * TCP connections are taken, which is logged.  E_LIMIT: it is not enough for any. */
err_t front_allow_files(struct front *f, size_t others, struct diag *diag);

/* Binds the addresses.  Errors are those of listen_probe() and listen_open(); then nothing is open. */
err_t front_open(struct front *f, struct diag *diag);
void front_close(struct front *f);

/* Starts the workers, which take the sockets.  `env` is borrowed until front_stop().  E_NOMEM, E_IO: then none runs. */
err_t front_start(struct front *f, const struct net_env *env, struct diag *diag);
void front_stop(struct front *f);

/* Adds the workers' threads to those that are looked after, until front_stop(). */
void front_watch(const struct front *f, struct health *h);

/* Any thread: transfers whose pins were revoked are to end (served_conf.revoked). */
void front_end_revoked(const struct front *f);

/* The counters of all workers, and the connections that are open. */
void front_sum(const struct front *f, struct net_stats *out);
unsigned front_connections(const struct front *f);
