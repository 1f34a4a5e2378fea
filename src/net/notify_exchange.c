/* Exchanges: an exchange is a TCP connection to a target. */
#include "net/notify_p.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum {
	LENGTH_LEN = 2,           /* octets before each message (RFC 1035 4.2.2) */
	UNSENT_MAX = 256 * 1024,  /* octets of an exchange that may wait to be sent */
};

struct exchange {
	uv_tcp_t tcp;             /* must be first: the handle is cast to the exchange */
	uv_connect_t connect;
	struct net_notify *owner;
	unsigned number;
	bool is_closed;
	size_t in_len;
	uint8_t in[LENGTH_LEN + NOTIFY_INPUT_MAX];
};

struct output {
	uv_write_t req; /* must be first */
	uint8_t bytes[];
};

static void
on_exchange_freed(uv_handle_t *handle)
{
	free(handle);
}

/* Its callbacks may still be called afterwards, with UV_ECANCELED. */
void
notify_exchange_drop(struct exchange *x)
{
	x->is_closed = true;
	x->owner->exchange[x->number] = NULL;
	uv_close((uv_handle_t *)x, on_exchange_freed);
}

/* The peer has closed the connection, or it could not be made. */
static void
exchange_ended(struct exchange *x)
{
	struct net_notify *nn = x->owner;
	if (x->is_closed) {
		return;
	}
	notify_exchange_drop(x);
	struct notifier_now t = notify_now();
	notifier_exchange_closed(nn->machine, &t, x->number);
	notify_after_input(nn);
}

void
notify_exchange_close(void *ctx, unsigned number)
{
	struct net_notify *nn = ctx;
	notify_exchange_drop(nn->exchange[number]);
}

static void
on_written(uv_write_t *req, int status)
{
	struct exchange *x = (struct exchange *)req->handle;
	free(req);
	if (status != 0) {
		exchange_ended(x);
	}
}

/* May be called before the exchange is connected: libuv keeps the order. */
static bool
exchange_write(struct exchange *x, const uint8_t *bytes, size_t len)
{
	uv_stream_t *stream = (uv_stream_t *)&x->tcp;
	if (uv_stream_get_write_queue_size(stream) + LENGTH_LEN + len > UNSENT_MAX) {
		return false; /* the peer does not read */
	}
	struct output *o = try_alloc(sizeof *o + LENGTH_LEN + len);
	if (o == NULL) {
		return false;
	}
	o->bytes[0] = (uint8_t)(len >> 8);
	o->bytes[1] = (uint8_t)len;
	memcpy(o->bytes + LENGTH_LEN, bytes, len);
	uv_buf_t buf = uv_buf_init((char *)o->bytes, (unsigned)(LENGTH_LEN + len));
	if (uv_write(&o->req, stream, &buf, 1, on_written) != 0) {
		free(o);
		return false;
	}
	return true;
}

bool
notify_exchange_send(void *ctx, unsigned number, const uint8_t *bytes, size_t len)
{
	struct net_notify *nn = ctx;
	return exchange_write(nn->exchange[number], bytes, len);
}

/* Hands complete messages to the machine, and keeps the rest.  False: the octets are no DNS messages. */
static bool
take_messages(struct exchange *x)
{
	struct net_notify *nn = x->owner;
	size_t at = 0;
	while (x->in_len - at >= LENGTH_LEN) {
		size_t len = (size_t)x->in[at] << 8 | x->in[at + 1];
		if (len < DNS_HEADER_LEN || len > NOTIFY_INPUT_MAX) {
			return false;
		}
		if (x->in_len - at - LENGTH_LEN < len) {
			break;
		}
		struct notifier_now t = notify_now();
		notifier_exchange_input(nn->machine, &t, x->number, x->in + at + LENGTH_LEN, len);
		if (x->is_closed) {
			return true; /* the machine has closed the exchange: this was the answer */
		}
		at += LENGTH_LEN + len;
	}
	x->in_len -= at;
	memmove(x->in, x->in + at, x->in_len);
	return true;
}

static void
on_exchange_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)suggested;
	struct exchange *x = (struct exchange *)handle;
	*buf = uv_buf_init((char *)x->in + x->in_len, (unsigned)(sizeof x->in - x->in_len));
}

static void
on_exchange_readable(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	(void)buf;
	struct exchange *x = (struct exchange *)stream;
	if (n < 0) {
		exchange_ended(x);
		return;
	}
	x->in_len += (size_t)n;
	if (take_messages(x)) {
		notify_after_input(x->owner);
	} else {
		exchange_ended(x);
	}
}

static void
on_connected(uv_connect_t *req, int status)
{
	struct exchange *x = (struct exchange *)req->handle;
	if (x->is_closed) {
		return;
	}
	if (status != 0 || uv_read_start((uv_stream_t *)&x->tcp, on_exchange_buffer, on_exchange_readable) != 0) {
		exchange_ended(x);
	}
}

static bool
exchange_begin(struct exchange *x, const struct notify_target *to)
{
	const struct listen_address from = notify_from(x->owner, to), a = notify_sockaddr(&to->address, to->port);
	if (from.len != 0 && uv_tcp_bind(&x->tcp, &from.sa.any, 0) != 0) {
		return false;
	}
	(void)uv_tcp_nodelay(&x->tcp, 1); /* a notification is written in one piece */
	return uv_tcp_connect(&x->connect, &x->tcp, &a.sa.any, on_connected) == 0;
}

bool
notify_exchange_open(void *ctx, unsigned number, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	struct net_notify *nn = ctx;
	struct exchange *x = try_alloc(sizeof *x);
	if (x == NULL) {
		return false;
	}
	x->owner = nn;
	x->number = number;
	if (uv_tcp_init(&nn->loop, &x->tcp) != 0) {
		free(x);
		return false;
	}
	nn->exchange[number] = x;
	if (!exchange_begin(x, to) || !exchange_write(x, bytes, len)) {
		notify_exchange_drop(x);
		return false;
	}
	return true;
}
