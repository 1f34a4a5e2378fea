#include "net/tcp_p.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/peer.h"
#include "ops/thread.h"

enum {
	BACKLOG = 1024,
	DESCRIPTORS_SPARE = 1024, /* descriptors that the process may have besides connections */
	SWEEP_MS_MIN = 20, SWEEP_MS_MAX = 1000,
	/* The parts of a connection's id: its worker's number, a generation, and its index in the table. */
	SLOT_BITS = 20, GENERATION_BITS = 36, NUMBER_SHIFT = SLOT_BITS + GENERATION_BITS,
	SLOTS_MAX = 1 << SLOT_BITS,
};

/* ---- ids ---- */

static bool
slot_take(struct tcp_worker *w, struct conn *c)
{
	while (w->free_slot < w->slots_n && w->slots[w->free_slot] != NULL) {
		w->free_slot++;
	}
	if (w->free_slot == w->slots_n) {
		if (w->slots_n == SLOTS_MAX) {
			return false;
		}
		size_t n = w->slots_n != 0 ? 2 * w->slots_n : 64;
		struct conn **grown = realloc(w->slots, n * sizeof(struct conn *));
		if (grown == NULL) {
			return false;
		}
		w->slots = grown;
		memset(w->slots + w->slots_n, 0, (n - w->slots_n) * sizeof(struct conn *));
		w->slots_n = n;
	}
	w->generation = (w->generation + 1) & (((uint64_t)1 << GENERATION_BITS) - 1);
	w->slots[w->free_slot] = c;
	c->id = (uint64_t)w->conf.number << NUMBER_SHIFT | w->generation << SLOT_BITS | w->free_slot;
	return true;
}

static void
slot_give(struct tcp_worker *w, const struct conn *c)
{
	size_t slot = c->id & (SLOTS_MAX - 1);
	w->slots[slot] = NULL;
	w->free_slot = slot < w->free_slot ? slot : w->free_slot;
}

struct conn *
conn_find(const struct tcp_worker *w, uint64_t id)
{
	size_t slot = id & (SLOTS_MAX - 1);
	struct conn *c = slot < w->slots_n ? w->slots[slot] : NULL;
	return c != NULL && c->id == id ? c : NULL;
}

/* ---- ends ---- */

void
conn_drop_input(struct conn *c)
{
	c->worker->buffered -= c->in_cap;
	free(c->in);
	c->in = NULL;
	c->in_len = c->in_cap = 0;
}

static void
on_closed(uv_handle_t *handle)
{
	struct conn *c = (struct conn *)handle;
	conn_drop_input(c);
	conn_drop_held(c);
	free(c);
}

void
conn_close(struct conn *c)
{
	struct tcp_worker *w = c->worker;
	const struct net_env *env = w->conf.env;
	if (c->is_closed) {
		return;
	}
	c->is_closed = true;
	if (c->stream != NULL) {
		stream_end(c, TRANSFER_PEER_GONE);
	}
	conn_rise(c);
	slot_give(w, c);
	clients_give(w->conf.clients, &c->peer);
	if (c->is_kept) {
		clients_unkeep(w->conf.clients);
		if (env->closed != NULL) {
			env->closed(env->ctx, c->id);
		}
	}
	if (w->seats.n == 0) {
		uv_timer_stop(&w->sweep);
	}
	uv_close((uv_handle_t *)c, on_closed); /* a write under way ends with UV_ECANCELED before on_closed() */
}

void
conn_abort(struct conn *c)
{
	const struct linger none = { .l_onoff = 1 };
	uv_os_fd_t fd;
	if (!c->is_closed && uv_fileno((const uv_handle_t *)c, &fd) == 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	}
	conn_close(c);
}

void
conn_close_if_done(struct conn *c)
{
	if (c->is_last && c->unsent == 0 && c->awaited == 0 && c->stream == NULL) {
		conn_close(c);
	}
}

/* ---- beginnings ---- */

static void
on_refused(uv_handle_t *handle)
{
	free(handle);
}

static bool
conn_peer(struct conn *c)
{
	struct sockaddr_storage from;
	int len = sizeof from;
	return uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&from, &len) == 0 &&
	       peer_from_sockaddr((struct sockaddr *)&from, TRANSPORT_TCP, &c->peer);
}

/* Takes a place for the connection.  If none is free, a connection of this worker is closed, or one of another worker in its next sweep. */
static bool
take_place(struct tcp_worker *w, struct conn *c)
{
	err_t err = clients_take(w->conf.clients, &c->peer);
	if (err == E_LIMIT) {
		(void)evict_one(w);
		err = clients_take_beyond(w->conf.clients, &c->peer);
	}
	if (err != OK) {
		return false;
	}
	bool has_slot = slot_take(w, c);
	if (!has_slot) {
		clients_give(w->conf.clients, &c->peer);
	}
	return has_slot;
}

static void on_shed(uv_handle_t *handle);

/* Accepts a connection for which there is no memory, and closes it, because a listener reports no further connection until this one has
 * been accepted.  Only one is closed at a time; if another comes meanwhile, it is closed afterwards. */
static void
shed(struct tcp_worker *w)
{
	bool has_taken = false;
	w->has_unshed |= w->is_shedding;
	if (w->is_shedding || uv_tcp_init(&w->loop, &w->shed) != 0) {
		return;
	}
	for (size_t i = 0; i < w->listeners_n && !has_taken; i++) {
		has_taken = uv_accept((uv_stream_t *)&w->listeners[i], (uv_stream_t *)&w->shed) == 0;
	}
	net_count(&w->stats.refused, has_taken);
	w->is_shedding = true;
	w->shed.data = w;
	uv_close((uv_handle_t *)&w->shed, on_shed);
}

static void
on_shed(uv_handle_t *handle)
{
	struct tcp_worker *w = handle->data;
	bool is_more = w->has_unshed;
	w->is_shedding = w->has_unshed = false;
	if (is_more) {
		shed(w);
	}
}

static void
on_connection(uv_stream_t *listener, int status)
{
	struct tcp_worker *w = listener->data;
	if (status != 0) {
		return; /* that connection has gone, or there are no descriptors: libuv closes waiting connections then */
	}
	struct conn *c = try_alloc(sizeof *c);
	if (c == NULL) {
		shed(w);
		return;
	}
	c->worker = w;
	if (uv_tcp_init(&w->loop, &c->tcp) != 0) {
		free(c);
		return;
	}
	if (uv_accept(listener, conn_uv(c)) != 0 || !conn_peer(c) || !take_place(w, c)) {
		net_count(&w->stats.refused, 1);
		uv_close((uv_handle_t *)c, on_refused);
		return;
	}
	net_count(&w->stats.accepted, 1);
	if (w->seats.n == 0) {
		uv_timer_again(&w->sweep);
	}
	conn_sit(c);
	if (conn_read_start(c) != OK) {
		conn_close(c);
	}
}

/* ---- the worker ---- */

static void
close_handle(uv_handle_t *handle, void *ctx)
{
	struct tcp_worker *w = ctx;
	bool is_own = handle == (uv_handle_t *)&w->wake || handle == (uv_handle_t *)&w->pulse.timer || handle == (uv_handle_t *)&w->sweep ||
	              handle == (uv_handle_t *)&w->pump || handle == (uv_handle_t *)&w->drain;
	for (size_t i = 0; i < w->listeners_n; i++) {
		is_own = is_own || handle == (uv_handle_t *)&w->listeners[i];
	}
	if (!is_own) {
		return; /* connections are closed by conn_close() */
	}
	if (!uv_is_closing(handle)) {
		uv_close(handle, NULL);
	}
}

void
tcp_close_all(struct tcp_worker *w)
{
	for (enum seat_rank rank = 0; rank < SEAT_RANKS; rank++) {
		struct seat *p;
		while ((p = seats_first(&w->seats, rank)) != NULL) {
			conn_close(conn_of_seat(p));
		}
	}
	uv_walk(&w->loop, close_handle, w);
}

/* The listeners have been listening since they were opened, so nothing can fail any more. */
static void
listen_if_open(struct tcp_worker *w)
{
	if (w->is_listening || (w->conf.gate != NULL && !gate_is_open(w->conf.gate))) {
		return;
	}
	w->is_listening = true;
	for (size_t i = 0; i < w->listeners_n; i++) {
		(void)uv_listen((uv_stream_t *)&w->listeners[i], BACKLOG, on_connection);
	}
}

static void
on_wake(uv_async_t *wake)
{
	struct tcp_worker *w = wake->data;
	pthread_mutex_lock(&w->lock);
	bool is_stopping = w->is_stopping;
	pthread_mutex_unlock(&w->lock);
	posts_send(w); /* even when stopping: answers may have come just before */
	if (is_stopping) {
		drain_begin(w);
	} else {
		listen_if_open(w);
		streams_end_revoked(w);
	}
}

static void *
run(void *arg)
{
	struct tcp_worker *w = arg;
	thread_name("tcp");
	served_thread_begin();
	(void)uv_run(&w->loop, UV_RUN_DEFAULT); /* until every handle is closed */
	served_thread_end();
	return NULL;
}

static void
worker_free(struct tcp_worker *w)
{
	(void)uv_run(&w->loop, UV_RUN_DEFAULT);
	ASSERT(uv_loop_close(&w->loop) == 0);
	posts_drop(w);
	pthread_mutex_destroy(&w->lock);
	free(w->slots);
	free(w->listeners);
	free(w);
}

static void
on_nothing(uv_poll_t *handle, int status, int events)
{
	(void)handle, (void)status, (void)events;
}

static err_t
add_listener(struct tcp_worker *w, int fd)
{
	uv_tcp_t *l = &w->listeners[w->listeners_n];
	if (uv_tcp_init(&w->loop, l) != 0) {
		close(fd);
		return E_NOMEM;
	}
	w->listeners_n++;
	l->data = w;
	if (uv_tcp_open(l, fd) != 0) {
		close(fd);
		return E_IO;
	}
	return OK;
}

static struct tcp_worker *
worker_new(const struct tcp_conf *conf, size_t listeners_n)
{
	/* Not zeroed as a whole: pages of its buffers are touched only when they are used. */
	struct tcp_worker *w = aligned_alloc(_Alignof(struct tcp_worker), sizeof *w);
	if (w == NULL) {
		return NULL;
	}
	memset(w, 0, offsetof(struct tcp_worker, read_buffer));
	w->conf = *conf;
	w->posts_end = &w->posts;
	list_init(&w->runnable);
	seats_init(&w->seats);
	turns_init(&w->turns, conf->transfers_max);
	pthread_mutex_init(&w->lock, NULL);
	w->listeners = xalloc(listeners_n * sizeof *w->listeners);
	if (uv_loop_init(&w->loop) != 0) {
		pthread_mutex_destroy(&w->lock);
		free(w->listeners);
		free(w);
		return NULL;
	}
	return w;
}

/* libuv keeps a table by descriptor, and aborts when that table cannot grow.  So it gets its full size before anybody connects. */
static void
reserve_descriptors(struct tcp_worker *w)
{
	struct rlimit most = { 0 };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int wanted = (int)w->conf.max + DESCRIPTORS_SPARE;
	if (getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_cur <= (rlim_t)wanted) {
		wanted = (int)most.rlim_cur - 1;
	}
	int high = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, wanted) : -1;
	if (high >= 0 && uv_poll_init(&w->loop, &w->reserve, high) == 0) {
		(void)uv_poll_start(&w->reserve, UV_READABLE, on_nothing);
		(void)uv_poll_stop(&w->reserve);
		uv_close((uv_handle_t *)&w->reserve, NULL);
	}
	if (high >= 0) {
		close(high);
	}
	if (fd >= 0) {
		close(fd);
	}
}

static err_t
worker_prepare(struct tcp_worker *w)
{
	terms_set(w);
	uint64_t sweep_ms = w->conf.idle_ms / 8;
	sweep_ms = sweep_ms < SWEEP_MS_MIN ? SWEEP_MS_MIN : sweep_ms > SWEEP_MS_MAX ? SWEEP_MS_MAX : sweep_ms;
	if (uv_timer_init(&w->loop, &w->sweep) != 0 || uv_idle_init(&w->loop, &w->pump) != 0 ||
	    uv_timer_init(&w->loop, &w->drain) != 0 || uv_async_init(&w->loop, &w->wake, on_wake) != 0 ||
	    uv_timer_start(&w->sweep, on_sweep, sweep_ms, sweep_ms) != 0) {
		return E_NOMEM;
	}
	if (!loop_pulse_start(&w->loop, &w->pulse)) {
		return E_NOMEM;
	}
	reserve_descriptors(w);
	uv_timer_stop(&w->sweep); /* it runs only while there are connections */
	w->sweep.data = w->wake.data = w->pump.data = w->drain.data = w;
	return OK;
}

err_t
tcp_worker_start(const struct tcp_conf *conf, const int *listeners, size_t n, struct tcp_worker **out)
{
	struct tcp_worker *w = worker_new(conf, n);
	err_t err = w != NULL ? worker_prepare(w) : E_NOMEM;
	for (size_t i = 0; i < n; i++) {
		if (err == OK) {
			err = add_listener(w, listeners[i]);
		} else {
			close(listeners[i]);
		}
	}
	if (err == OK) {
		listen_if_open(w);
	}
	if (err == OK && pthread_create(&w->thread, NULL, run, w) != 0) {
		err = E_NOMEM;
	}
	if (err == OK) {
		*out = w;
	} else if (w != NULL) {
		tcp_close_all(w);
		worker_free(w);
	}
	return err;
}

void
tcp_worker_end(struct tcp_worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->is_stopping = true;
	pthread_mutex_unlock(&w->lock);
	(void)uv_async_send(&w->wake);
}

void
tcp_worker_stop(struct tcp_worker **w)
{
	if (*w == NULL) {
		return;
	}
	tcp_worker_end(*w);
	pthread_join((*w)->thread, NULL);
	worker_free(*w);
	*w = NULL;
}

void
tcp_worker_wake(struct tcp_worker *w)
{
	(void)uv_async_send(&w->wake);
}

const struct pulse *
tcp_worker_pulse(const struct tcp_worker *w)
{
	return &w->pulse.pulse;
}

const struct net_stats *
tcp_worker_stats(const struct tcp_worker *w)
{
	return &w->stats;
}
