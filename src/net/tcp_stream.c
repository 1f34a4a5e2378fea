/* Sends zone transfers, one chunk for each turn of the loop, so that queries and other transfers get their turns. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/alloc.h"
#include "base/number.h"
#include "net/tcp_p.h"

enum {
	CHUNK_MIN = 32 * 1024,                 /* octets that are gathered before they are written */
	TIME_MAX_MS = 2 * 60 * 60 * 1000,      /* for one transfer, because a slow reader keeps a whole version of the zone in memory */
};

_Static_assert(CHUNK_MIN + ANSWER_MAX <= TCP_WRITE_MAX, "a chunk's last message may have any size");

static struct stream *
stream_of_turn(struct turn *turn)
{
	return LIST_ENTRY(turn, struct stream, turn);
}

static void
set_runnable(struct stream *s, bool is_runnable)
{
	struct tcp_worker *w = s->conn->worker;
	if (is_runnable && !list_is_linked(&s->run)) {
		list_append(&w->runnable, &s->run);
		uv_idle_start(&w->pump, on_pump);
	} else if (!is_runnable && list_is_linked(&s->run)) {
		list_remove(&s->run);
	}
}

/* ---- ends ---- */

static void
drop_request(struct stream *s)
{
	s->conn->worker->buffered -= s->request_len;
	free_ptr(&s->request);
	s->request_len = 0;
}

static void
report_end(const struct stream *s, enum transfer_end how)
{
	const struct tcp_worker *w = s->conn->worker;
	const struct net_env *env = w->conf.env;
	uint64_t now_ms = uv_now(&w->loop);
	bool has_begun = s->transfer != NULL;
	const struct net_transferred t = {
		.to = &s->conn->peer, .zone = &s->zone, .key = &s->key, .how = how,
		.report = has_begun ? transfer_report(s->transfer) : NULL,
		.waited_ms = (has_begun ? s->begun_ms : now_ms) - s->asked_ms, .took_ms = has_begun ? now_ms - s->begun_ms : 0,
		.kept_octets = how == TRANSFER_REVOKED ? served_pin_kept_octets(s->pin) : 0,
	};
	if (env->transferred != NULL) {
		env->transferred(env->ctx, &t);
	}
}

/* Ends a transfer.  Its place becomes free, so the pump runs and begins the next transfer. */
void
stream_end(struct conn *c, enum transfer_end how)
{
	struct tcp_worker *w = c->worker;
	struct stream *s = c->stream;
	if (how != TRANSFER_DONE) {
		net_count(&w->stats.transfers_cut, 1);
	}
	report_end(s, how);
	set_runnable(s, false);
	turns_leave(&w->turns, &s->turn);
	transfer_free(&s->transfer);
	served_unpin(w->conf.env->served, &s->pin);
	drop_request(s);
	c->stream = NULL;
	free(s);
	if (w->turns.waiting_n != 0) {
		uv_idle_start(&w->pump, on_pump);
	}
}

/* Ends a transfer and its connection: the peer would take whatever follows an unfinished transfer for the rest of it. */
static void
cut(struct stream *s, enum transfer_end how)
{
	struct conn *c = s->conn;
	bool has_begun = s->transfer != NULL;
	stream_end(c, how);
	if (has_begun) {
		conn_abort(c);
	} else {
		conn_close(c);
	}
}

void
streams_end_revoked(struct tcp_worker *w)
{
	for (struct list_link *l = w->turns.active.next, *next; l != &w->turns.active; l = next) {
		struct stream *s = stream_of_turn(LIST_ENTRY(l, struct turn, link));
		next = l->next;
		if (served_pin_is_revoked(s->pin)) {
			cut(s, TRANSFER_REVOKED);
		}
	}
}

/* ---- beginnings ---- */

/* Keeps a request until its turn comes.  Its time is kept, too: by then the signature would be too old for the current time. */
static bool
keep_request(struct tcp_worker *w, struct stream *s, const struct net_request *r)
{
	s->request = w->buffered + r->len <= TCP_BUFFERED_MAX ? try_alloc(r->len) : NULL;
	if (s->request == NULL) {
		return false;
	}
	memcpy(s->request, r->bytes, r->len);
	s->request_len = r->len;
	s->asked_s = r->now_s;
	w->buffered += r->len;
	return true;
}

/* NULL: there is no memory, or the worker keeps TCP_BUFFERED_MAX octets already. */
static struct stream *
stream_new(struct conn *c, const struct net_request *r, const struct server_out *out)
{
	struct tcp_worker *w = c->worker;
	struct stream *s = try_alloc(sizeof *s);
	if (s == NULL || !keep_request(w, s, r)) {
		free(s);
		return NULL;
	}
	s->conn = c;
	s->zone = out->zone;
	s->key = out->key;
	s->asked_ms = uv_now(&w->loop);
	if (turns_ask(&w->turns, &c->peer, &s->key, &s->turn) != OK) {
		drop_request(s);
		free_ptr(&s);
	}
	return s;
}

void
stream_ask(struct conn *c, const struct net_request *r, const struct server_out *out)
{
	c->stream = stream_new(c, r, out);
	if (c->stream == NULL) {
		c->is_last = true; /* the peer must ask again */
		return;
	}
	(void)uv_read_stop(conn_uv(c));
	uv_idle_start(&c->worker->pump, on_pump);
}

/* Begins a transfer whose turn has come.  Only now it pins the served version. */
static err_t
begin(struct stream *s)
{
	struct tcp_worker *w = s->conn->worker;
	const struct net_env *env = w->conf.env;
	const struct view *view = served_pin(env->served, &s->pin);
	TRY(transfer_new(view, env->conf, &s->conn->peer, s->asked_s, s->request, s->request_len, &s->transfer));
	drop_request(s);
	s->begun_ms = uv_now(&w->loop);
	net_count(&w->stats.transfers, 1);
	conn_seen(s->conn);
	set_runnable(s, true);
	return OK;
}

static void
drop_too_many(struct tcp_worker *w)
{
	while (turns_are_too_many(&w->turns)) {
		cut(stream_of_turn(turns_one_too_many(&w->turns)), TRANSFER_CROWDED);
	}
}

/* Begins one transfer, if one may begin.  Only one, because working out an incremental transfer takes up to ten milliseconds.  False: none
 * began. */
static bool
begin_next(struct tcp_worker *w)
{
	struct turn *turn = turns_begin_next(&w->turns, uv_now(&w->loop));
	if (turn == NULL) {
		return false;
	}
	struct stream *s = stream_of_turn(turn);
	if (begin(s) != OK) {
		cut(s, TRANSFER_FAILED); /* there is no memory, or the request would now get another answer: the peer must ask again */
	}
	return true;
}

/* ---- turns of the loop ---- */

/* Gathers messages in the worker's buffer.  True: the last message is among them. */
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
		u16_put(to, n);
		w->out_len += LENGTH_LEN + n;
	}
	return is_last;
}

static void
send_chunk(struct stream *s)
{
	struct conn *c = s->conn;
	bool has_failed = false;
	bool is_last = fill_chunk(s, net_wall_s(), &has_failed);
	conn_flush(c);
	if (c->is_closed) {
		return;
	}
	if (has_failed) {
		cut(s, TRANSFER_FAILED);
	} else if (is_last) {
		stream_end(c, TRANSFER_DONE);
		conn_seen(c);
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
	drop_too_many(w);
	bool has_begun = begin_next(w);
	if (list_is_empty(&w->runnable)) {
		if (!has_begun) {
			uv_idle_stop(pump);
		}
		return;
	}
	struct stream *s = LIST_ENTRY(w->runnable.next, struct stream, run);
	list_remove(&s->run); /* move it to the end of the list */
	list_append(&w->runnable, &s->run);
	send_chunk(s);
}

void
stream_resume(struct stream *s)
{
	if (s->transfer != NULL) {
		set_runnable(s, true);
	}
}

/* ---- time ---- */

/* The number of octets that the peer has acknowledged.  Octets in the system's buffer do not count. */
static uint64_t
taken(const struct stream *s)
{
	const struct transfer_report *r = transfer_report(s->transfer);
	uint64_t made = r->octets + LENGTH_LEN * r->messages, left = uv_stream_get_write_queue_size(conn_uv(s->conn));
	uv_os_fd_t fd;
	int n = 0;
	if (uv_fileno((const uv_handle_t *)s->conn, &fd) == 0 && ioctl(fd, TIOCOUTQ, &n) == 0) {
		left += (unsigned)n;
	}
	return made > left ? made - left : 0;
}

static void
note_taken(struct stream *s, uint64_t now_ms)
{
	uint64_t by_now = taken(s);
	if (by_now > s->taken) {
		s->taken = by_now;
		conn_seen(s->conn);
	}
	turn_note_taken(&s->turn, now_ms, s->taken);
}

void
streams_look(struct tcp_worker *w)
{
	uint64_t now_ms = uv_now(&w->loop);
	struct turn *slow;
	for (struct list_link *l = w->turns.active.next, *next; l != &w->turns.active; l = next) {
		struct stream *s = stream_of_turn(LIST_ENTRY(l, struct turn, link));
		next = l->next;
		note_taken(s, now_ms);
		if (now_ms - s->begun_ms > TIME_MAX_MS) {
			cut(s, TRANSFER_STALLED);
		}
	}
	while ((slow = turns_too_slow(&w->turns)) != NULL) {
		cut(stream_of_turn(slow), TRANSFER_SLOW);
		(void)begin_next(w); /* in its place */
	}
}
