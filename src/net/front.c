#include "net/front_p.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "ops/clock.h"
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
	gate_init(&f->gate, GATE_SHUT);
}


err_t
front_allow_files(struct front *f, size_t others, struct diag *diag)
{
	struct front_conf *c = &f->conf;
	size_t fixed = others + CLIENTS_BEYOND_MAX + 2 * front_sockets_n(f) + c->workers * FILES_OF_WORKER;
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
		err_t err = udp_worker_start(env, &f->gate, f->udp_fds + i * n, n, &f->udp[i]);
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
			.env = env, .gate = &f->gate, .clients = f->clients, .max = c->tcp_max, .idle_ms = c->tcp_idle_ms,
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
	if (!f->is_taken_over) {
		(void)gate_open(&f->gate);
	}
	f->clients = clients_new(f->conf.tcp_max, f->conf.tcp_per_client);
	f->started_ms = clock_ms();
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
front_answer(struct front *f)
{
	if (!f->is_taken_over || !gate_open(&f->gate)) {
		return;
	}
	for (size_t i = 0; i < f->tcp_n; i++) {
		tcp_worker_wake(f->tcp[i]);
	}
	log_event(f->log, LOG_LEVEL_INFO, "taken-over", "waited_ms=%llu", (unsigned long long)(clock_ms() - f->started_ms));
}

void
front_look(struct front *f, uint64_t now_ms)
{
	if (!gate_is_open(&f->gate) && now_ms - f->started_ms >= FRONT_HELD_MAX_MS) {
		front_answer(f);
	}
}

/* UDP comes last: while TCP connections end, it goes on, and the next process can only begin when we are gone. */
void
front_stop(struct front *f)
{
	gate_end(&f->gate);
	for (size_t i = 0; i < f->tcp_n; i++) {
		tcp_worker_end(f->tcp[i]);
	}
	for (size_t i = 0; i < f->tcp_n; i++) {
		tcp_worker_stop(&f->tcp[i]);
	}
	for (size_t i = 0; i < f->udp_n; i++) {
		udp_worker_stop(&f->udp[i]);
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
		tcp_worker_wake(f->tcp[i]);
	}
}

/* ---- counters ---- */

void
front_sum_of(const struct front *f, enum transport t, struct net_stats *out)
{
	*out = (struct net_stats){ 0 };
	for (size_t i = 0; t == TRANSPORT_UDP && i < f->udp_n; i++) {
		net_stats_add(out, udp_worker_stats(f->udp[i]));
	}
	for (size_t i = 0; t == TRANSPORT_TCP && i < f->tcp_n; i++) {
		net_stats_add(out, tcp_worker_stats(f->tcp[i]));
	}
}

void
front_sum(const struct front *f, struct net_stats *out)
{
	struct net_stats tcp;
	front_sum_of(f, TRANSPORT_UDP, out);
	front_sum_of(f, TRANSPORT_TCP, &tcp);
	net_stats_add(out, &tcp);
}

unsigned
front_connections(const struct front *f)
{
	return clients_count(f->clients);
}
