/* net/front.h -- the part of a daemon that strangers can reach: its sockets, the workers that answer on them, and their counters.
 *
 * A worker is a thread for UDP and a thread for TCP.  Each of the two has its own socket for each address (SO_REUSEPORT).  Workers answer
 * from the published view (net/served.h), as struct net_env says; a front does not know where zones come from.
 *
 * A front comes up in steps, because a daemon has other things to do between them.  It raises the limit of descriptors and binds ports
 * while it has its privileges, and starts threads after it has dropped them:
 *
 *     front_init ─ front_allow_files ─ front_open ─ front_start ─ front_answer …… front_stop ─ front_close
 *
 * Sockets may be inherited (ops/inherited.h): from a socket unit, or from the process that served before.  What arrived while nobody
 * served waits in them, and is not answered before there are zones to answer from.  A socket that was not inherited is given to the service
 * manager to keep, if that does so; so after the first start a socket is never closed, and no question is lost while one process ends and
 * the next one begins, as long as its buffer has room for what comes meanwhile.
 *
 * A socket of a socket unit serves all workers if they cannot have more of the same address: that takes the rights for the port, and the
 * user who made the first.
 *
 * Threads: all functions on one thread, except front_end_revoked() and front_answer().
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
#include "ops/gate.h"
#include "ops/health.h"
#include "ops/log.h"

enum {
	FRONT_LISTEN_MAX = UDP_SOCKETS_MAX,
	FRONT_WORKERS_MAX = 256, /* a connection's id has eight bits for the number of its worker */
	FRONT_HELD_MAX_MS = 4000, /* whoever asks waits no longer than five seconds */
};

struct front_conf {
	struct listen_address listen[FRONT_LISTEN_MAX];
	size_t listen_n;
	bool is_listen_default;  /* the user gave no address: all are tried, and one that the machine does not have is left out */
	unsigned workers;
	unsigned tcp_max;        /* connections */
	unsigned tcp_per_client; /* connections of one client */
	uint32_t tcp_idle_ms;
	unsigned transfers_max;  /* under way at a time */
};

struct front {
	struct front_conf conf;     /* as given to front_init(), reduced where the system does not allow as much */
	const struct log *log;      /* borrowed */
	/* sockets: the one for address i of worker w is at w * conf.listen_n + i; -1: the worker owns it */
	int *udp_fds, *tcp_fds;     /* owned */
	struct clients *clients;    /* owned: counts connections, for the limits */
	struct udp_worker **udp;    /* owned */
	struct tcp_worker **tcp;    /* owned; the index is the worker's number in connections' ids (tcp_worker_of()) */
	size_t udp_n, tcp_n;        /* how many run */
	bool is_taken_over;         /* sockets were inherited: what waits in them is answered once there are zones */
	struct gate gate;
	uint64_t started_ms;
};

/* Copies `conf`, whose numbers are within their limits. */
void front_init(struct front *f, const struct front_conf *conf, const struct log *log);

/* Raises the system's limit of open descriptors to what the front may need plus `others`, for the rest of the daemon.  If the system
 * allows less, fewer TCP connections are taken, and the log says so.  E_LIMIT: not even one connection is possible. */
err_t front_allow_files(struct front *f, size_t others, struct diag *diag);

/* Takes the addresses of the sockets that come from a socket unit, if there are any, in place of those in `conf`.  E_FORMAT: one of them is
 * no socket for DNS; E_LIMIT: they have too many addresses. */
err_t front_conf_inherit(struct front_conf *conf, struct diag *diag);

/* Binds the addresses, as far as their sockets are not inherited.  E_FORMAT: a socket of a socket unit has another address, or there are
 * more of these than workers.  Other errors are those of listen_probe() and listen_open(); after an error nothing is
 * open. */
err_t front_open(struct front *f, struct diag *diag);
void front_close(struct front *f);

/* Starts the workers, which then own the sockets.  `env` is borrowed until front_stop().  E_NOMEM, E_IO: none runs. */
err_t front_start(struct front *f, const struct net_env *env, struct diag *diag);
void front_stop(struct front *f);

/* There is something to answer from: begins with what waits in sockets that were inherited.  Any thread, also more than once. */
void front_answer(struct front *f);

/* Called now and then: does the same when clients have waited for too long. */
void front_look(struct front *f, uint64_t now_ms);

/* Has the health check watch the workers' threads, until front_stop(). */
void front_watch(const struct front *f, struct health *h);

/* Ends the transfers whose pins were revoked (served_conf.revoked).  Any thread. */
void front_end_revoked(const struct front *f);

/* The sum of the counters of all workers; of those of one transport; and the number of open connections.  Any thread, while workers run. */
void front_sum(const struct front *f, struct net_stats *out);
void front_sum_of(const struct front *f, enum transport t, struct net_stats *out);
unsigned front_connections(const struct front *f);
