#include "net/dial.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/number.h"
#include "dns/wire.h"

enum { LENGTH_LEN = 2 }; /* octets before each message */

struct dial {
	uv_tcp_t tcp; /* must be first: the handle is cast to the dial */
	uv_connect_t connect;
	struct dial_conf conf;
	bool is_over;
	uint8_t *in;
	size_t in_len, in_cap;
};

struct output {
	uv_write_t req; /* must be first */
	uint8_t bytes[];
};

/* ---- its end ---- */

static void
on_closed(uv_handle_t *handle)
{
	struct dial *d = (struct dial *)handle;
	free(d->in);
	free(d);
}

/* The loop may still call the functions here afterwards, with UV_ECANCELED. */
void
dial_close(struct dial **d)
{
	if (*d != NULL) {
		(*d)->is_over = true;
		uv_close((uv_handle_t *)*d, on_closed);
		*d = NULL;
	}
}

static void
end(struct dial *d, const char *why)
{
	struct dial *closed = d;
	if (!d->is_over) {
		dial_close(&closed);
		d->conf.ended(d->conf.ctx, why); /* its memory stays until the end of this turn */
	}
}

/* ---- output ---- */

static void
on_written(uv_write_t *req, int status)
{
	struct dial *d = (struct dial *)req->handle;
	free(req);
	if (status != 0) {
		end(d, uv_strerror(status));
	}
}

bool
dial_send(struct dial *d, const uint8_t *bytes, size_t len)
{
	uv_stream_t *stream = (uv_stream_t *)&d->tcp;
	ASSERT(len <= DNS_MSG_MAX);
	if (uv_stream_get_write_queue_size(stream) + LENGTH_LEN + len > DIAL_UNSENT_MAX) {
		return false;
	}
	struct output *o = try_alloc(sizeof *o + LENGTH_LEN + len);
	if (o == NULL) {
		return false;
	}
	memcpy(u16_put(o->bytes, len), bytes, len);
	uv_buf_t buf = uv_buf_init((char *)o->bytes, (unsigned)(LENGTH_LEN + len));
	if (uv_write(&o->req, stream, &buf, 1, on_written) != 0) {
		free(o);
		return false;
	}
	return true;
}

/* ---- input ---- */

/* Hands on the complete messages, and keeps the rest.  False: the octets are no messages. */
static bool
take_messages(struct dial *d)
{
	size_t at = 0;
	while (!d->is_over && d->in_len - at >= LENGTH_LEN) {
		size_t len = u16_at(d->in + at);
		if (len < DNS_HEADER_LEN || len > d->conf.message_max) {
			return false;
		}
		if (d->in_len - at - LENGTH_LEN < len) {
			break;
		}
		d->conf.message(d->conf.ctx, d->in + at + LENGTH_LEN, len);
		at += LENGTH_LEN + len;
	}
	d->in_len -= at;
	memmove(d->in, d->in + at, d->in_len);
	return true;
}

/* A full buffer holds the beginning of one message, since complete ones are taken at once.  So it is doubled for messages of
 * `message_max` at most.  Without memory there is no buffer, and the loop makes an error of that. */
static void
on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)suggested;
	struct dial *d = (struct dial *)handle;
	bool has_room = try_room(&d->in, sizeof *d->in, d->in_len, &d->in_cap);
	*buf = has_room ? uv_buf_init((char *)d->in + d->in_len, (unsigned)(d->in_cap - d->in_len)) : uv_buf_init(NULL, 0);
}

static void
on_readable(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	(void)buf;
	struct dial *d = (struct dial *)stream;
	if (n < 0) {
		end(d, n == UV_EOF ? "the peer has closed the connection" : uv_strerror((int)n));
		return;
	}
	d->in_len += (size_t)n;
	if (!take_messages(d)) {
		end(d, "what the peer has sent is no DNS message, or is too long");
	}
}

/* ---- its beginning ---- */

static void
on_connected(uv_connect_t *req, int status)
{
	struct dial *d = (struct dial *)req->handle;
	if (status == 0 && !d->is_over) {
		status = uv_read_start((uv_stream_t *)&d->tcp, on_buffer, on_readable);
	}
	if (status != 0) {
		end(d, uv_strerror(status));
	} else if (!d->is_over && d->conf.connected != NULL) {
		d->conf.connected(d->conf.ctx);
	}
}

/* With the system's own values, a peer that is gone would be noticed after eleven minutes more.  An option that the system does not take
 * is no reason to do without the connection. */
static void
keep_alive(struct dial *d)
{
	static const int pause_s = DIAL_PROBE_S, probes = DIAL_PROBES;
	uv_os_fd_t fd;
	if (d->conf.keepalive_s != 0 && uv_tcp_keepalive(&d->tcp, 1, d->conf.keepalive_s) == 0 &&
	    uv_fileno((const uv_handle_t *)&d->tcp, &fd) == 0) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &pause_s, sizeof pause_s);
		(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
	}
}

/* Returns libuv's error. */
static int
begin(struct dial *d)
{
	int err = d->conf.from.len != 0 ? uv_tcp_bind(&d->tcp, &d->conf.from.sa.any, 0) : 0;
	(void)uv_tcp_nodelay(&d->tcp, 1); /* each message is written in one piece */
	return err != 0 ? err : uv_tcp_connect(&d->connect, &d->tcp, &d->conf.to.sa.any, on_connected);
}

static struct dial *
dial_new(uv_loop_t *loop, const struct dial_conf *conf)
{
	struct dial *d = try_alloc(sizeof *d);
	uint8_t *in = try_alloc(DIAL_INPUT_MIN);
	if (d == NULL || in == NULL || uv_tcp_init(loop, &d->tcp) != 0) {
		free(d);
		free(in);
		return NULL;
	}
	d->conf = *conf;
	d->in = in;
	d->in_cap = DIAL_INPUT_MIN;
	return d;
}

struct dial *
dial_begin(uv_loop_t *loop, const struct dial_conf *conf, const char **why)
{
	struct dial *d = dial_new(loop, conf);
	int err = d != NULL ? begin(d) : UV_ENOMEM;
	if (err != 0) {
		*why = uv_strerror(err);
		dial_close(&d);
		return NULL;
	}
	keep_alive(d);
	return d;
}
