#include "net/tcp.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "base/alloc.h"
#include "net/listen.h"

enum {
	LENGTH_LEN = 2, /* octets before each message (RFC 1035 4.2.2) */
	ANSWER_MAX = LENGTH_LEN + DNS_MSG_MAX,
	BACKLOG = 1024,
	SWEEP_MS_MIN = 20, SWEEP_MS_MAX = 1000,
};

struct output; /* answers that the socket did not take at once */

struct conn {
	uv_tcp_t tcp;               /* first: the handle is the connection */
	struct tcp_worker *worker;
	struct conn *older, *newer; /* by when they were last seen */
	uint64_t seen_ms;           /* last whole message, last answers gone, or the beginning */
	struct peer peer;
	uint8_t *in;                /* owned: input not handled yet; NULL: none */
	size_t in_len, in_cap;
	struct output *unsent;      /* owned; while it is there nothing is read */
	bool is_last;               /* close once everything has been sent */
	bool is_closed;
};

struct output {
	uv_write_t req; /* first */
	struct conn *conn;
	size_t len;
	uint8_t bytes[];
};

struct tcp_worker {
	_Alignas(64) struct net_stats stats;
	_Alignas(64) struct tcp_conf conf;
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t wake; /* tcp_worker_stop() */
	uv_timer_t sweep;
	uv_tcp_t *listeners; /* owned */
	size_t listeners_n;
	struct conn *oldest, *newest;
	size_t held;      /* octets in all connections' `in` and `unsent` */
	size_t out_len;   /* in write_buffer */
	uint8_t read_buffer[TCP_READ_MAX];
	uint8_t write_buffer[TCP_WRITE_MAX];
};

static uv_stream_t *
stream_of(struct conn *c)
{
	return (uv_stream_t *)&c->tcp;
}

/* ---- the list, longest idle first ---- */

static void
list_remove(struct tcp_worker *w, struct conn *c)
{
	*(c->older != NULL ? &c->older->newer : &w->oldest) = c->newer;
	*(c->newer != NULL ? &c->newer->older : &w->newest) = c->older;
	c->older = c->newer = NULL;
}

static void
list_append(struct tcp_worker *w, struct conn *c)
{
	c->seen_ms = uv_now(&w->loop);
	c->older = w->newest;
	*(w->newest != NULL ? &w->newest->newer : &w->oldest) = c;
	w->newest = c;
}

static void
seen(struct conn *c)
{
	if (c->worker->newest == c) {
		c->seen_ms = uv_now(&c->worker->loop);
		return;
	}
	list_remove(c->worker, c);
	list_append(c->worker, c);
}

/* ---- ends ---- */

static void
drop_input(struct conn *c)
{
	c->worker->held -= c->in_cap;
	free(c->in);
	c->in = NULL;
	c->in_len = c->in_cap = 0;
}

static void
on_closed(uv_handle_t *handle)
{
	struct conn *c = (struct conn *)handle;
	drop_input(c);
	free(c);
}

static void
conn_close(struct conn *c)
{
	if (c->is_closed) {
		return;
	}
	c->is_closed = true;
	list_remove(c->worker, c);
	clients_give(c->worker->conf.clients, &c->peer);
	if (c->worker->oldest == NULL) {
		uv_timer_stop(&c->worker->sweep);
	}
	uv_close((uv_handle_t *)c, on_closed); /* a write under way ends with UV_ECANCELED before on_closed() */
}

/* ---- output ---- */

static void on_readable(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);
static void on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf);
static void resume(struct conn *c);

static void
on_written(uv_write_t *req, int status)
{
	struct output *o = (struct output *)req;
	struct conn *c = o->conn;
	c->worker->held -= o->len;
	c->unsent = NULL;
	free(o);
	if (c->is_closed) {
		return;
	}
	if (status != 0 || c->is_last) {
		conn_close(c);
		return;
	}
	seen(c);
	resume(c);
}

/* Keeps what the socket has no room for, and stops reading until it has gone. */
static void
hold_output(struct conn *c, const uint8_t *bytes, size_t len)
{
	struct tcp_worker *w = c->worker;
	struct output *o = w->held + len <= TCP_HELD_MAX ? try_alloc(sizeof *o + len) : NULL;
	if (o == NULL) {
		conn_close(c);
		return;
	}
	o->conn = c;
	o->len = len;
	memcpy(o->bytes, bytes, len);
	w->held += len;
	c->unsent = o;
	(void)uv_read_stop(stream_of(c));
	uv_buf_t buf = uv_buf_init((char *)o->bytes, (unsigned)len);
	if (uv_write(&o->req, stream_of(c), &buf, 1, on_written) != 0) {
		w->held -= len;
		c->unsent = NULL;
		free(o);
		conn_close(c);
	}
}

/* Writes the answers gathered so far.  Afterwards the connection may be waiting, or closed. */
static void
flush(struct conn *c)
{
	struct tcp_worker *w = c->worker;
	size_t len = w->out_len;
	w->out_len = 0;
	if (len == 0) {
		return;
	}
	uv_buf_t buf = uv_buf_init((char *)w->write_buffer, (unsigned)len);
	int n = uv_try_write(stream_of(c), &buf, 1);
	if (n == UV_EAGAIN) {
		n = 0;
	}
	if (n < 0) {
		conn_close(c);
	} else if ((size_t)n < len) {
		hold_output(c, w->write_buffer + n, len - (size_t)n);
	}
}

/* ---- input ---- */

static bool
can_go_on(const struct conn *c)
{
	return !c->is_closed && !c->is_last && c->unsent == NULL;
}

/* One message; its answer is added to what is gathered. */
static void
handle(struct conn *c, const struct view *view, uint64_t now_s, const uint8_t *request, size_t len)
{
	struct tcp_worker *w = c->worker;
	const struct net_env *env = w->conf.env;
	uint8_t *to = w->write_buffer + w->out_len;
	struct server_out out;
	out.event = EVENT_NONE;
	out.close = false;
	size_t n = env->handle(view, env->conf, &c->peer, now_s, request, len, to + LENGTH_LEN, DNS_MSG_MAX,
	                       &w->stats.server, &out);
	if (out.event != EVENT_NONE) {
		env->event(env->ctx, &c->peer, &out);
	}
	if (n != 0) {
		to[0] = (uint8_t)(n >> 8);
		to[1] = (uint8_t)n;
		w->out_len += LENGTH_LEN + n;
	}
	c->is_last = c->is_last || out.close;
}

static size_t
length_at(const uint8_t *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

/* Answers the whole messages at the beginning of the input, as long as the client takes the answers.
 * Returns the octets used. */
static size_t
handle_all(struct conn *c, const uint8_t *bytes, size_t len)
{
	struct tcp_worker *w = c->worker;
	struct served *served = w->conf.env->served;
	const struct view *view = served_read(served);
	uint64_t now_s = net_wall_s();
	size_t at = 0;
	while (can_go_on(c) && len - at >= LENGTH_LEN) {
		size_t n = length_at(bytes + at);
		if (n < DNS_HEADER_LEN) { /* no message: nothing after it can be trusted to be one */
			c->is_last = true;
			break;
		}
		if (len - at - LENGTH_LEN < n) {
			break;
		}
		handle(c, view, now_s, bytes + at + LENGTH_LEN, n);
		at += LENGTH_LEN + n;
		if (sizeof w->write_buffer - w->out_len < ANSWER_MAX) {
			flush(c);
		}
	}
	served_read_end(served);
	if (at != 0 && !c->is_closed) {
		seen(c);
		flush(c);
	}
	if (c->is_last && c->unsent == NULL) {
		conn_close(c);
	}
	return at;
}

/* Keeps octets that cannot be handled yet, behind those kept before. */
static void
keep(struct conn *c, const uint8_t *bytes, size_t len)
{
	if (len == 0 || c->is_closed) {
		return;
	}
	size_t need = c->in_len + len;
	if (need > c->in_cap) {
		size_t cap = need > 2 * c->in_cap ? need : 2 * c->in_cap;
		struct tcp_worker *w = c->worker;
		uint8_t *in = w->held - c->in_cap + cap <= TCP_HELD_MAX ? realloc(c->in, cap) : NULL;
		if (in == NULL) {
			conn_close(c);
			return;
		}
		w->held += cap - c->in_cap;
		c->in = in;
		c->in_cap = cap;
	}
	memcpy(c->in + c->in_len, bytes, len);
	c->in_len = need;
}

/* Octets that the incomplete message in `in` still lacks, as far as is known. */
static size_t
lacking(const struct conn *c)
{
	return c->in_len < LENGTH_LEN ? LENGTH_LEN - c->in_len : LENGTH_LEN + length_at(c->in) - c->in_len;
}

/* Completes the kept message out of new input, and no more than it.  Returns the octets used. */
static size_t
complete(struct conn *c, const uint8_t *bytes, size_t len)
{
	size_t at = 0;
	while (at < len && !c->is_closed && lacking(c) != 0) {
		size_t n = lacking(c) < len - at ? lacking(c) : len - at;
		keep(c, bytes + at, n);
		at += n;
	}
	if (!c->is_closed && c->in_len >= LENGTH_LEN && lacking(c) == 0) {
		(void)handle_all(c, c->in, c->in_len);
		drop_input(c);
	}
	return at;
}

static void
input(struct conn *c, const uint8_t *bytes, size_t len)
{
	size_t at = c->in_len != 0 ? complete(c, bytes, len) : 0;
	if (c->in_len == 0 && can_go_on(c)) {
		at += handle_all(c, bytes + at, len - at);
	}
	if (!c->is_last) {
		keep(c, bytes + at, len - at);
	}
}

/* The client has read its answers: what it had sent meanwhile comes first. */
static void
resume(struct conn *c)
{
	size_t used = handle_all(c, c->in, c->in_len);
	if (c->is_closed) {
		return;
	}
	c->in_len -= used;
	if (c->in_len == 0) {
		drop_input(c);
	} else if (used != 0) {
		memmove(c->in, c->in + used, c->in_len);
	}
	if (c->unsent == NULL && uv_read_start(stream_of(c), on_buffer, on_readable) != 0) {
		conn_close(c);
	}
}

static void
on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)suggested;
	struct tcp_worker *w = ((struct conn *)handle)->worker;
	*buf = uv_buf_init((char *)w->read_buffer, sizeof w->read_buffer);
}

static void
on_readable(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = (struct conn *)stream;
	if (n < 0) {
		conn_close(c); /* UV_EOF, a half-close included: everything that came has been answered by now */
	} else if (n > 0) {
		input(c, (const uint8_t *)buf->base, (size_t)n);
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

/* A place for one more; the longest idle connection of this worker goes for it if need be. */
static bool
take_place(struct tcp_worker *w, const struct peer *peer)
{
	err_t err = clients_take(w->conf.clients, peer);
	if (err == E_LIMIT && w->oldest != NULL) {
		net_count(&w->stats.idle_closed, 1);
		conn_close(w->oldest);
		err = clients_take(w->conf.clients, peer);
	}
	return err == OK;
}

static void
on_connection(uv_stream_t *listener, int status)
{
	struct tcp_worker *w = listener->data;
	if (status != 0) {
		return; /* of one connection that was gone again, or no descriptors: libuv closes those waiting */
	}
	struct conn *c = xalloc(sizeof *c);
	c->worker = w;
	if (uv_tcp_init(&w->loop, &c->tcp) != 0) {
		free(c);
		return;
	}
	if (uv_accept(listener, stream_of(c)) != 0 || !conn_peer(c) || !take_place(w, &c->peer)) {
		net_count(&w->stats.refused, 1);
		uv_close((uv_handle_t *)c, on_refused);
		return;
	}
	net_count(&w->stats.accepted, 1);
	if (w->oldest == NULL) {
		uv_timer_again(&w->sweep);
	}
	list_append(w, c);
	if (uv_read_start(stream_of(c), on_buffer, on_readable) != 0) {
		conn_close(c);
	}
}

/* ---- time ---- */

static void
on_sweep(uv_timer_t *timer)
{
	struct tcp_worker *w = timer->data;
	bool is_crowded = clients_count(w->conf.clients) > w->conf.max / 4 * 3;
	uint64_t idle_ms = is_crowded ? w->conf.idle_ms / 4 : w->conf.idle_ms;
	uint64_t now_ms = uv_now(&w->loop);
	while (w->oldest != NULL && now_ms - w->oldest->seen_ms >= idle_ms) {
		net_count(&w->stats.idle_closed, 1);
		conn_close(w->oldest);
	}
}

/* ---- the worker ---- */

static void
close_handle(uv_handle_t *handle, void *ctx)
{
	struct tcp_worker *w = ctx;
	bool is_own = handle == (uv_handle_t *)&w->wake || handle == (uv_handle_t *)&w->sweep;
	for (size_t i = 0; i < w->listeners_n; i++) {
		is_own = is_own || handle == (uv_handle_t *)&w->listeners[i];
	}
	if (!is_own) {
		return; /* connections go through conn_close() */
	}
	if (!uv_is_closing(handle)) {
		uv_close(handle, NULL);
	}
}

static void
close_all(struct tcp_worker *w)
{
	while (w->oldest != NULL) {
		conn_close(w->oldest);
	}
	uv_walk(&w->loop, close_handle, w);
}

static void
on_wake(uv_async_t *wake)
{
	close_all(wake->data);
}

static void *
run(void *arg)
{
	struct tcp_worker *w = arg;
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
	free(w->listeners);
	free(w);
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
	return uv_listen((uv_stream_t *)l, BACKLOG, on_connection) == 0 ? OK : E_IO;
}

static struct tcp_worker *
worker_new(const struct tcp_conf *conf, size_t listeners_n)
{
	/* Its buffers are touched only as far as they are used. */
	struct tcp_worker *w = aligned_alloc(_Alignof(struct tcp_worker), sizeof *w);
	if (w == NULL) {
		return NULL;
	}
	memset(w, 0, offsetof(struct tcp_worker, read_buffer));
	w->conf = *conf;
	w->listeners = xalloc(listeners_n * sizeof *w->listeners);
	if (uv_loop_init(&w->loop) != 0) {
		free(w->listeners);
		free(w);
		return NULL;
	}
	return w;
}

static err_t
worker_prepare(struct tcp_worker *w)
{
	uint64_t sweep_ms = w->conf.idle_ms / 8;
	sweep_ms = sweep_ms < SWEEP_MS_MIN ? SWEEP_MS_MIN : sweep_ms > SWEEP_MS_MAX ? SWEEP_MS_MAX : sweep_ms;
	if (uv_timer_init(&w->loop, &w->sweep) != 0 || uv_async_init(&w->loop, &w->wake, on_wake) != 0 ||
	    uv_timer_start(&w->sweep, on_sweep, sweep_ms, sweep_ms) != 0) {
		return E_NOMEM;
	}
	uv_timer_stop(&w->sweep); /* it runs only while there are connections */
	w->sweep.data = w->wake.data = w;
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
	if (err == OK && pthread_create(&w->thread, NULL, run, w) != 0) {
		err = E_NOMEM;
	}
	if (err == OK) {
		*out = w;
	} else if (w != NULL) {
		close_all(w);
		worker_free(w);
	}
	return err;
}

void
tcp_worker_stop(struct tcp_worker **w)
{
	if (*w == NULL) {
		return;
	}
	(void)uv_async_send(&(*w)->wake);
	pthread_join((*w)->thread, NULL);
	worker_free(*w);
	*w = NULL;
}

const struct net_stats *
tcp_worker_stats(const struct tcp_worker *w)
{
	return &w->stats;
}
