/* Zone transfers: one chunk a turn of the loop, so that questions and other transfers have theirs. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "net/tcp_p.h"

enum {
	CHUNK_MIN = 32 * 1024,                 /* octets gathered before they are written */
	TIME_MAX_MS = 2 * 60 * 60 * 1000,      /* for one transfer: a slow reader holds on to a whole version of the zone */
};

_Static_assert(CHUNK_MIN + ANSWER_MAX <= TCP_WRITE_MAX, "the last message of a chunk may be of any size");

/* ---- lists ---- */

static void
append(struct streams *list, struct stream *s)
{
	s->prev = list->last;
	s->next = NULL;
	*(list->last != NULL ? &list->last->next : &list->first) = s;
	list->last = s;
}

static void
take_out(struct streams *list, struct stream *s)
{
	*(s->prev != NULL ? &s->prev->next : &list->first) = s->next;
	*(s->next != NULL ? &s->next->prev : &list->last) = s->prev;
	s->prev = s->next = NULL;
}

static void
set_runnable(struct stream *s, bool is_runnable)
{
	struct tcp_worker *w = s->conn->worker;
	if (s->is_runnable == is_runnable) {
		return;
	}
	s->is_runnable = is_runnable;
	if (is_runnable) {
		append(&w->runnable, s);
		uv_idle_start(&w->pump, on_pump);
	} else {
		take_out(&w->runnable, s);
		if (w->runnable.first == NULL) {
			uv_idle_stop(&w->pump);
		}
	}
}

/* ---- turns ---- */

static void
activate(struct stream *s)
{
	s->is_active = true;
	s->conn->worker->active++;
	set_runnable(s, true);
}

/* Fewer are under way now: the one that waits longest may begin. */
static void
let_next_begin(struct tcp_worker *w)
{
	struct stream *s = w->waiting.first;
	if (s != NULL && w->active < w->conf.transfers_max) {
		take_out(&w->waiting, s);
		conn_seen(s->conn);
		activate(s);
	}
}

void
stream_end(struct conn *c, enum transfer_end how)
{
	struct tcp_worker *w = c->worker;
	struct stream *s = c->stream;
	const struct net_env *env = w->conf.env;
	list_remove(&s->all);
	set_runnable(s, false);
	if (s->is_active) {
		w->active--;
	} else {
		take_out(&w->waiting, s);
	}
	if (how != TRANSFER_DONE) {
		net_count(&w->stats.transfers_cut, 1);
	}
	if (env->transferred != NULL) {
		const struct net_transferred t = {
			.to = &c->peer, .report = transfer_report(s->transfer), .how = how, .took_ms = uv_now(&w->loop) - s->begin_ms,
			.held = how == TRANSFER_REVOKED ? served_pin_held(s->pin) : 0,
		};
		env->transferred(env->ctx, &t);
	}
	c->stream = NULL;
	transfer_free(&s->transfer);
	served_unpin(env->served, &s->pin);
	free(s);
	let_next_begin(w);
}

/* Gathers messages.  True: that was the last. */
static bool
fill_chunk(struct stream *s, uint64_t now_s, bool *has_failed)
{
	struct tcp_worker *w = s->conn->worker;
	bool is_last = false;
	while (!is_last && w->out_len < CHUNK_MIN) {
		uint8_t *to = w->write_buffer + w->out_len;
		size_t n = transfer_next(s->transfer, now_s, to + LENGTH_LEN, &is_last);
		if (n == 0) {
			*has_failed = true;
			return false;
		}
		to[0] = (uint8_t)(n >> 8);
		to[1] = (uint8_t)n;
		w->out_len += LENGTH_LEN + n;
	}
	return is_last;
}

static bool
is_out_of_time(const struct stream *s)
{
	return uv_now(&s->conn->worker->loop) - s->begin_ms > TIME_MAX_MS;
}

static void
cut(struct conn *c, enum transfer_end how)
{
	stream_end(c, how);
	conn_abort(c); /* what follows an unfinished transfer would be taken for its rest */
}

void
streams_end_revoked(struct tcp_worker *w)
{
	for (struct list_link *l = w->streams.next, *next; l != &w->streams; l = next) {
		struct stream *s = LIST_ENTRY(l, struct stream, all);
		next = l->next;
		if (served_pin_is_revoked(s->pin)) {
			cut(s->conn, TRANSFER_REVOKED);
		}
	}
}

static void
send_chunk(struct stream *s)
{
	struct conn *c = s->conn;
	bool has_failed = false;
	if (is_out_of_time(s)) {
		cut(c, TRANSFER_STALLED);
		return;
	}
	bool is_last = fill_chunk(s, net_wall_s(), &has_failed);
	conn_flush(c);
	if (c->is_closed) {
		return;
	}
	if (has_failed) {
		cut(c, TRANSFER_FAILED);
	} else if (is_last) {
		stream_end(c, TRANSFER_DONE);
		if (c->unsent == 0) {
			conn_resume(c);
		}
	} else if (c->unsent == 0) {
		conn_seen(c);
	} else {
		set_runnable(s, false);
	}
}

void
on_pump(uv_idle_t *pump)
{
	struct tcp_worker *w = pump->data;
	struct stream *s = w->runnable.first;
	take_out(&w->runnable, s); /* to the end of the line */
	append(&w->runnable, s);
	send_chunk(s);
}

void
stream_resume(struct stream *s)
{
	if (s->is_active) {
		set_runnable(s, true);
	}
}

/* ---- beginnings ---- */

static err_t
stream_new(struct conn *c, const uint8_t *request, size_t len, uint64_t now_s, struct stream **out)
{
	const struct net_env *env = c->worker->conf.env;
	struct stream *s = xalloc(sizeof *s);
	const struct view *view = served_pin(env->served, &s->pin);
	err_t err = transfer_new(view, env->conf, now_s, request, len, &s->transfer);
	if (err != OK) {
		served_unpin(env->served, &s->pin);
		free(s);
		return err;
	}
	s->conn = c;
	s->begin_ms = uv_now(&c->worker->loop);
	*out = s;
	return OK;
}

void
stream_begin(struct conn *c, const uint8_t *request, size_t len, uint64_t now_s)
{
	struct tcp_worker *w = c->worker;
	if (stream_new(c, request, len, now_s, &c->stream) != OK) {
		c->is_last = true; /* the view has changed in between, or there is no memory: the peer asks again */
		return;
	}
	list_append(&w->streams, &c->stream->all);
	net_count(&w->stats.transfers, 1);
	(void)uv_read_stop(stream_of(c));
	if (w->active < w->conf.transfers_max) {
		activate(c->stream);
	} else {
		append(&w->waiting, c->stream);
	}
}
