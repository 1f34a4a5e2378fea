/* Reads messages, and writes answers. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "dns/wire.h"
#include "net/tcp_p.h"

enum { UNSENT_MAX = 1000 }; /* writes that one connection may have under way */

static void on_readable(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void
on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)suggested;
	struct tcp_worker *w = ((struct conn *)handle)->worker;
	*buf = uv_buf_init((char *)w->read_buffer, sizeof w->read_buffer);
}

err_t
conn_read_start(struct conn *c)
{
	return uv_read_start(conn_uv(c), on_buffer, on_readable) == 0 ? OK : E_IO;
}

/* ---- output ---- */

static void
on_written(uv_write_t *req, int status)
{
	struct output *o = (struct output *)req;
	struct conn *c = o->conn;
	c->worker->buffered -= o->len;
	c->unsent--;
	free(o);
	if (c->is_closed || c->unsent != 0) {
		return;
	}
	if (status != 0) {
		conn_close(c);
		return;
	}
	conn_seen(c);
	if (c->stream != NULL) {
		stream_resume(c->stream);
	} else {
		conn_resume(c);
	}
}

/* Keeps what the socket has no room for, and reads nothing until it has been sent. */
static void
buffer_output(struct conn *c, const uint8_t *bytes, size_t len)
{
	struct tcp_worker *w = c->worker;
	bool has_room = w->buffered + len <= TCP_BUFFERED_MAX && c->unsent < UNSENT_MAX;
	struct output *o = has_room ? try_alloc(sizeof *o + len) : NULL;
	if (o == NULL) {
		conn_close(c);
		return;
	}
	o->conn = c;
	o->len = len;
	memcpy(o->bytes, bytes, len);
	w->buffered += len;
	c->unsent++;
	(void)uv_read_stop(conn_uv(c));
	uv_buf_t buf = uv_buf_init((char *)o->bytes, (unsigned)len);
	if (uv_write(&o->req, conn_uv(c), &buf, 1, on_written) != 0) {
		w->buffered -= len;
		c->unsent--;
		free(o);
		conn_close(c);
	}
}

void
conn_write(struct conn *c, const uint8_t *bytes, size_t len)
{
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)len);
	int n = c->unsent == 0 ? uv_try_write(conn_uv(c), &buf, 1) : UV_EAGAIN;
	if (n == UV_EAGAIN) {
		n = 0;
	}
	if (n < 0) {
		conn_close(c);
	} else if ((size_t)n < len) {
		buffer_output(c, bytes + n, len - (size_t)n);
	}
}

void
conn_flush(struct conn *c)
{
	struct tcp_worker *w = c->worker;
	size_t len = w->out_len;
	w->out_len = 0;
	if (len != 0) {
		conn_write(c, w->write_buffer, len);
	}
}

/* ---- input ---- */

/* Handles a request that needs more than an answer.  Returns the length of the answer in `resp`; 0: none now. */
static size_t
handle_event(struct conn *c, struct net_request *r, const struct server_out *out, uint8_t *resp, size_t n)
{
	struct tcp_worker *w = c->worker;
	const struct net_env *env = w->conf.env;
	if (out->event == EVENT_TRANSFER) {
		stream_ask(c, r, out);
		return 0;
	}
	if (out->event == EVENT_SUBSCRIBED) {
		conn_keep(c);
	}
	r->conn = c->is_kept ? c->id : 0;
	size_t own = env->event(env->ctx, r, out, resp, DNS_MSG_MAX);
	if ((out->event == EVENT_UPDATE || out->event == EVENT_FORWARD) && own == 0) {
		c->awaited++;
		c->awaited_ms = uv_now(&w->loop);
	}
	return n != 0 ? n : own;
}

/* Writes the answer to `resp`, and returns its length; 0: none now. */
static size_t
answer(struct conn *c, const struct view *view, uint64_t now_s, const uint8_t *request, size_t len, uint8_t *resp)
{
	struct tcp_worker *w = c->worker;
	const struct net_env *env = w->conf.env;
	struct server_out out;
	out.event = EVENT_NONE;
	out.close = false;
	conn_set_terms(c);
	uint64_t begun_ns = net_sample_begin(&w->stats, TRANSPORT_TCP);
	size_t n = env->handle(view, env->conf, &c->peer, now_s, request, len, resp, DNS_MSG_MAX, &w->stats.server, &out);
	if (begun_ns != 0) {
		net_sample_end(&w->stats, begun_ns);
	}
	if (out.event != EVENT_NONE) {
		const struct return_path from = { .peer = c->peer, .tcp = { .worker = w, .conn = c->id } };
		struct net_request r = { .from = &from, .view = view, .bytes = request, .len = len, .now_s = now_s };
		n = handle_event(c, &r, &out, resp, n);
	}
	c->is_last = c->is_last || out.close;
	return n;
}

/* Handles one message, and adds its answer to the worker's buffer. */
static void
handle(struct conn *c, const struct view *view, uint64_t now_s, const uint8_t *message, size_t len)
{
	struct tcp_worker *w = c->worker;
	const struct net_env *env = w->conf.env;
	if (c->is_kept && dns_is_response(message) && env->response != NULL) {
		env->response(env->ctx, c->id, message, len);
		return;
	}
	uint8_t *to = w->write_buffer + w->out_len;
	size_t n = answer(c, view, now_s, message, len, to + LENGTH_LEN);
	if (n != 0) {
		u16_put(to, n);
		w->out_len += LENGTH_LEN + n;
	}
}

/* Handles the whole messages at the beginning of the input, as long as the client takes the answers.  Returns the octets used. */
static size_t
handle_all(struct conn *c, const uint8_t *bytes, size_t len)
{
	struct tcp_worker *w = c->worker;
	struct served *served = w->conf.env->served;
	const struct view *view = served_read(served);
	uint64_t now_s = net_wall_s();
	size_t at = 0;
	while (conn_can_go_on(c) && len - at >= LENGTH_LEN) {
		size_t n = u16_at(bytes + at);
		if (n < DNS_HEADER_LEN) { /* this is no message, so what follows it cannot be trusted to be one */
			c->is_last = true;
			break;
		}
		if (len - at - LENGTH_LEN < n) {
			break;
		}
		handle(c, view, now_s, bytes + at + LENGTH_LEN, n);
		at += LENGTH_LEN + n;
		if (sizeof w->write_buffer - w->out_len < ANSWER_MAX) {
			conn_flush(c);
		}
	}
	served_read_end(served);
	if (at != 0 && !c->is_closed) {
		c->has_asked = true;
		conn_flush(c);
	}
	if (at != 0 && !c->is_closed) {
		conn_seen(c);
	}
	conn_close_if_done(c);
	return at;
}

/* Keeps octets that cannot be handled yet, after those kept before. */
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
		uint8_t *in = w->buffered - c->in_cap + cap <= TCP_BUFFERED_MAX ? realloc(c->in, cap) : NULL;
		if (in == NULL) {
			conn_close(c);
			return;
		}
		w->buffered += cap - c->in_cap;
		c->in = in;
		c->in_cap = cap;
	}
	memcpy(c->in + c->in_len, bytes, len);
	c->in_len = need;
}

/* How many octets the incomplete message in `in` lacks, as far as is known. */
static size_t
lacking(const struct conn *c)
{
	return c->in_len < LENGTH_LEN ? LENGTH_LEN - c->in_len : LENGTH_LEN + u16_at(c->in) - c->in_len;
}

/* Completes the kept message with new input, and takes no more than that.  Returns the octets used. */
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
		conn_drop_input(c);
	}
	return at;
}

static void
input(struct conn *c, const uint8_t *bytes, size_t len)
{
	size_t at = c->in_len != 0 ? complete(c, bytes, len) : 0;
	if (c->in_len == 0 && conn_can_go_on(c)) {
		at += handle_all(c, bytes + at, len - at);
	}
	if (!c->is_last) {
		keep(c, bytes + at, len - at);
	}
	conn_send_held(c);
}

void
conn_resume(struct conn *c)
{
	size_t used = handle_all(c, c->in, c->in_len); /* what the peer has sent meanwhile comes first */
	if (c->is_closed) {
		return;
	}
	c->in_len -= used;
	if (c->in_len == 0) {
		conn_drop_input(c);
	} else if (used != 0) {
		memmove(c->in, c->in + used, c->in_len);
	}
	if (!conn_can_go_on(c)) {
		return;
	}
	if (c->is_eof) {
		c->is_last = true;
		conn_close_if_done(c);
	} else if (conn_read_start(c) != OK) {
		conn_close(c);
	} else {
		conn_send_held(c);
	}
}

static void
on_readable(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = (struct conn *)stream;
	if (n > 0) {
		input(c, (const uint8_t *)buf->base, (size_t)n);
	} else if (n == UV_EOF) { /* perhaps only the peer's direction is closed: what came before is still answered */
		(void)uv_read_stop(stream);
		c->is_eof = true;
		c->is_last = conn_can_go_on(c);
		conn_close_if_done(c);
	} else if (n < 0) {
		conn_close(c);
	}
}
