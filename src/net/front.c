#include "net/front.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ops/privs.h"

/* Descriptors of a worker besides its sockets.  Each of its two threads has one to wait with and one to be woken by.  The fifth is a
 * reserve of libuv, for when no other is left. */
enum { FILES_OF_WORKER = 5 };

_Static_assert(FRONT_WORKERS_MAX - 1 <= UINT8_MAX, "struct tcp_conf has their numbers in an octet");

void
front_init(struct front *f, const struct front_conf *conf, const struct log *log)
{
	ASSERT(conf->workers != 0 && conf->workers <= FRONT_WORKERS_MAX && conf->listen_n <= FRONT_LISTEN_MAX);
	*f = (struct front){ .conf = *conf, .log = log };
}

/* ---- sockets ---- */

/* The number of sockets for UDP, and as many for TCP. */
static size_t
sockets_n(const struct front *f)
{
	return f->conf.workers * f->conf.listen_n;
}

err_t
front_allow_files(struct front *f, size_t others, struct diag *diag)
{
	struct front_conf *c = &f->conf;
	size_t fixed = others + CLIENTS_BEYOND_MAX + 2 * sockets_n(f) + c->workers * FILES_OF_WORKER;
	size_t need = fixed + c->tcp_max, got = 0;
	if (privs_raise_files(need, &got) == OK) {
		return OK;
	}
	if (got < fixed + 1) {
		diag_set(diag, DIAG_ERROR, "files", "%zu open files are too few, %zu are needed", got, need);
		diag_hint(diag, "raise LimitNOFILE= or \"ulimit -n\", or give fewer --workers");
		return E_LIMIT;
	}
	unsigned tcp_max = (unsigned)(got - fixed);
	log_event(f->log, LOG_LEVEL_WARNING, "few-files", "allowed=%zu tcp_max=%u was=%u hint=%s", got, tcp_max, c->tcp_max,
	          "raise LimitNOFILE= or ulimit -n");
	c->tcp_max = tcp_max;
	return OK;
}

/* Both transports are tried, because another program may have the port for only one of them. */
static err_t
probe(const struct listen_address *a, struct diag *diag)
{
	TRY(listen_probe(a, TRANSPORT_UDP, diag));
	return listen_probe(a, TRANSPORT_TCP, diag);
}

/* Leaves out addresses that the machine does not have (all of IPv6, for example), unless the user asked for them. */
static err_t
probe_addresses(struct front *f, struct diag *diag)
{
	struct front_conf *c = &f->conf;
	size_t kept = 0;
	for (size_t i = 0; i < c->listen_n; i++) {
		err_t err = probe(&c->listen[i], diag);
		if (err == E_UNSUPPORTED && c->is_listen_default && c->listen_n > 1) {
			continue;
		}
		TRY(err);
		c->listen[kept++] = c->listen[i];
	}
	c->listen_n = kept;
	return kept != 0 ? OK : E_UNSUPPORTED;
}

static int *
fds_new(size_t n)
{
	int *fds = xalloc(n * sizeof *fds);
	for (size_t i = 0; i < n; i++) {
		fds[i] = -1;
	}
	return fds;
}

static void
fds_close(int **fds, size_t n)
{
	for (size_t i = 0; *fds != NULL && i < n; i++) {
		if ((*fds)[i] >= 0) {
			close((*fds)[i]);
		}
	}
	free(*fds);
	*fds = NULL;
}

static err_t
open_sockets(struct front *f, struct diag *diag)
{
	for (size_t i = 0; i < sockets_n(f); i++) {
		const struct listen_address *a = &f->conf.listen[i % f->conf.listen_n];
		TRY(listen_open(a, TRANSPORT_UDP, &f->udp_fds[i], diag));
		TRY(listen_open(a, TRANSPORT_TCP, &f->tcp_fds[i], diag));
	}
	return OK;
}

static void
log_listening(const struct front *f)
{
	for (size_t i = 0; i < f->conf.listen_n; i++) {
		char text[LISTEN_TEXT_MAX];
		listen_print(&f->conf.listen[i], text);
		log_event(f->log, LOG_LEVEL_INFO, "listening", "address=%s workers=%u", text, f->conf.workers);
	}
}

err_t
front_open(struct front *f, struct diag *diag)
{
	TRY(probe_addresses(f, diag));
	f->udp_fds = fds_new(sockets_n(f));
	f->tcp_fds = fds_new(sockets_n(f));
	err_t err = open_sockets(f, diag);
	if (err != OK) {
		front_close(f);
		return err;
	}
	log_listening(f);
	return OK;
}

void
front_close(struct front *f)
{
	fds_close(&f->udp_fds, sockets_n(f));
	fds_close(&f->tcp_fds, sockets_n(f));
}

/* ---- workers ---- */

/* A worker owns these sockets now, even if it failed to start: they are not ours to close. */
static void
forget_sockets(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fds[i] = -1;
	}
}

static err_t
start_udp(struct front *f, const struct net_env *env)
{
	size_t n = f->conf.listen_n;
	for (unsigned i = 0; i < f->conf.workers; i++) {
		err_t err = udp_worker_start(env, f->udp_fds + i * n, n, &f->udp[i]);
		forget_sockets(f->udp_fds + i * n, n);
		TRY(err);
		f->udp_n++;
	}
	return OK;
}

static err_t
start_tcp(struct front *f, const struct net_env *env)
{
	const struct front_conf *c = &f->conf;
	unsigned share = c->transfers_max / c->workers;
	for (unsigned i = 0; i < c->workers; i++) {
		const struct tcp_conf conf = {
			.env = env, .clients = f->clients, .max = c->tcp_max, .idle_ms = c->tcp_idle_ms,
			.transfers_max = share != 0 ? share : 1, .number = (uint8_t)i,
		};
		err_t err = tcp_worker_start(&conf, f->tcp_fds + i * c->listen_n, c->listen_n, &f->tcp[i]);
		forget_sockets(f->tcp_fds + i * c->listen_n, c->listen_n);
		TRY(err);
		f->tcp_n++;
	}
	return OK;
}

err_t
front_start(struct front *f, const struct net_env *env, struct diag *diag)
{
	f->clients = clients_new(f->conf.tcp_max, f->conf.tcp_per_client);
	f->udp = xalloc(f->conf.workers * sizeof(struct udp_worker *));
	f->tcp = xalloc(f->conf.workers * sizeof(struct tcp_worker *));
	err_t err = start_udp(f, env);
	if (err == OK) {
		err = start_tcp(f, env);
	}
	if (err != OK) {
		diag_set(diag, DIAG_ERROR, "workers", "cannot start a thread: %s", err_str(err));
		front_stop(f);
	}
	return err;
}

void
front_stop(struct front *f)
{
	for (size_t i = 0; i < f->udp_n; i++) {
		udp_worker_stop(&f->udp[i]);
	}
	for (size_t i = 0; i < f->tcp_n; i++) {
		tcp_worker_stop(&f->tcp[i]);
	}
	f->udp_n = f->tcp_n = 0;
	free(f->udp);
	free(f->tcp);
	f->udp = NULL;
	f->tcp = NULL;
	clients_free(&f->clients);
}

void
front_watch(const struct front *f, struct health *h)
{
	for (size_t i = 0; i < f->udp_n; i++) {
		health_add(h, "udp", i, udp_worker_pulse(f->udp[i]), HEALTH_SILENT_MAX_MS, NULL);
	}
	for (size_t i = 0; i < f->tcp_n; i++) {
		health_add(h, "tcp", i, tcp_worker_pulse(f->tcp[i]), HEALTH_SILENT_MAX_MS, NULL);
	}
}

void
front_end_revoked(const struct front *f)
{
	for (size_t i = 0; i < f->tcp_n; i++) {
		tcp_worker_end_revoked(f->tcp[i]);
	}
}

/* ---- counters ---- */

void
front_sum(const struct front *f, struct net_stats *out)
{
	*out = (struct net_stats){ 0 };
	for (size_t i = 0; i < f->udp_n; i++) {
		net_stats_add(out, udp_worker_stats(f->udp[i]));
	}
	for (size_t i = 0; i < f->tcp_n; i++) {
		net_stats_add(out, tcp_worker_stats(f->tcp[i]));
	}
}

unsigned
front_connections(const struct front *f)
{
	return clients_count(f->clients);
}
