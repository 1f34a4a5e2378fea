#include "net/notify.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <uv.h>

#include "base/alloc.h"
#include "net/env.h"
#include "net/loop_pulse.h"
#include "net/notify_queue.h"
#include "net/peer.h"
#include "ops/thread.h"

enum {
	LENGTH_LEN = 2,           /* octets before each message (RFC 1035 4.2.2) */
	ENTRIES_A_TURN = 1000,    /* of the queue, before the network has its turn again */
	UNSENT_MAX = 256 * 1024,  /* octets that an exchange may have waiting */
};

/* A TCP connection to a target. */
struct exchange {
	uv_tcp_t tcp;             /* first: the handle is the exchange */
	uv_connect_t connect;
	struct net_notify *owner;
	unsigned number;
	bool is_closed;
	size_t in_len;
	uint8_t in[LENGTH_LEN + NOTIFY_INPUT_MAX];
};

struct output {
	uv_write_t req; /* first */
	uint8_t bytes[];
};

/* UDP of one family, and where its messages come from. */
struct family {
	uv_udp_t udp;
	bool is_there;
	struct listen_address source; /* len 0: any */
};

struct net_notify {
	struct net_notify_conf conf;
	struct notify_queue queue;
	pthread_mutex_t lock;         /* of `stats` */
	struct notifier_stats stats;  /* as the machine had them last */
	pthread_t thread;
	atomic_bool stop;
	uv_async_t wake;
	/* The thread's own: */
	uv_loop_t loop;
	uv_timer_t timer;
	struct loop_pulse pulse;
	struct notifier *machine;
	struct family v4, v6;
	struct exchange *exchange[NOTIFIER_EXCHANGES_MAX];
	uint8_t datagram[NOTIFY_INPUT_MAX];
};

static struct notifier_now
now(void)
{
	return (struct notifier_now){ .mono_ns = uv_hrtime(), .wall_s = net_wall_s() };
}

/* ---- addresses ---- */

static struct family *
family_of(struct net_notify *nn, const struct key_address *a)
{
	return a->family == 4 ? &nn->v4 : &nn->v6;
}

static struct listen_address
sockaddr_of(const struct notify_target *to)
{
	struct listen_address a = { 0 };
	if (to->address.family == 4) {
		a.sa.v4.sin_family = AF_INET;
		a.sa.v4.sin_port = htons(to->port);
		memcpy(&a.sa.v4.sin_addr, to->address.octets, 4);
	} else {
		a.sa.v6.sin6_family = AF_INET6;
		a.sa.v6.sin6_port = htons(to->port);
		memcpy(&a.sa.v6.sin6_addr, to->address.octets, 16);
	}
	return a;
}

/* ---- after each input ---- */

static void on_timer(uv_timer_t *timer);

static void
after_input(struct net_notify *nn)
{
	uint64_t at_ns = notifier_deadline(nn->machine), now_ns = uv_hrtime();
	if (at_ns == NOTIFIER_NEVER) {
		(void)uv_timer_stop(&nn->timer);
	} else {
		uv_update_time(&nn->loop);
		(void)uv_timer_start(&nn->timer, on_timer, at_ns > now_ns ? (at_ns - now_ns + 999999) / 1000000 : 0, 0);
	}
	pthread_mutex_lock(&nn->lock);
	nn->stats = *notifier_stats(nn->machine);
	pthread_mutex_unlock(&nn->lock);
}

static void
on_timer(uv_timer_t *timer)
{
	struct net_notify *nn = timer->data;
	struct notifier_now t = now();
	notifier_timer(nn->machine, &t);
	after_input(nn);
}

/* ---- UDP ---- */

static bool
send_udp(void *ctx, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	struct net_notify *nn = ctx;
	struct family *f = family_of(nn, &to->address);
	const struct listen_address a = sockaddr_of(to);
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)len);
	return f->is_there && uv_udp_try_send(&f->udp, &buf, 1, &a.sa.any) == (int)len;
}

static void
on_datagram_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)suggested;
	struct net_notify *nn = handle->data;
	*buf = uv_buf_init((char *)nn->datagram, sizeof nn->datagram);
}

static void
on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags)
{
	struct net_notify *nn = udp->data;
	struct peer peer;
	if (n <= 0 || from == NULL || (flags & UV_UDP_PARTIAL) != 0 || !peer_from_sockaddr(from, TRANSPORT_UDP, &peer)) {
		return;
	}
	const struct notify_target at = { .address = peer_key_address(&peer), .port = peer.port };
	struct notifier_now t = now();
	notifier_datagram(nn->machine, &t, &at, (const uint8_t *)buf->base, (size_t)n);
	after_input(nn);
}

/* ---- exchanges ---- */

static void
on_exchange_freed(uv_handle_t *handle)
{
	free(handle);
}

/* Nothing more comes of it; its callbacks may still be called, with UV_ECANCELED. */
static void
exchange_drop(struct exchange *x)
{
	x->is_closed = true;
	x->owner->exchange[x->number] = NULL;
	uv_close((uv_handle_t *)x, on_exchange_freed);
}

/* The other side has ended it, or it could not be connected. */
static void
exchange_ended(struct exchange *x)
{
	struct net_notify *nn = x->owner;
	if (x->is_closed) {
		return;
	}
	exchange_drop(x);
	struct notifier_now t = now();
	notifier_exchange_closed(nn->machine, &t, x->number);
	after_input(nn);
}

static void
exchange_close(void *ctx, unsigned number)
{
	struct net_notify *nn = ctx;
	exchange_drop(nn->exchange[number]);
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

/* Also before it is connected: libuv keeps the order. */
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

static bool
exchange_send(void *ctx, unsigned number, const uint8_t *bytes, size_t len)
{
	struct net_notify *nn = ctx;
	return exchange_write(nn->exchange[number], bytes, len);
}

/* Hands on the whole messages that have come, and keeps what is left.  False: this is no DNS. */
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
		struct notifier_now t = now();
		notifier_exchange_input(nn->machine, &t, x->number, x->in + at + LENGTH_LEN, len);
		if (x->is_closed) {
			return true; /* that was all that it was for */
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
		after_input(x->owner);
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
	const struct family *f = family_of(x->owner, &to->address);
	const struct listen_address a = sockaddr_of(to);
	if (f->source.len != 0 && uv_tcp_bind(&x->tcp, &f->source.sa.any, 0) != 0) {
		return false;
	}
	(void)uv_tcp_nodelay(&x->tcp, 1); /* notifications are written whole */
	return uv_tcp_connect(&x->connect, &x->tcp, &a.sa.any, on_connected) == 0;
}

static bool
exchange_open(void *ctx, unsigned number, const struct notify_target *to, const uint8_t *bytes, size_t len)
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
		exchange_drop(x);
		return false;
	}
	return true;
}

/* ---- the other ways out ---- */

static bool
send_over(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len)
{
	struct net_notify *nn = ctx;
	return nn->conf.send_over(nn->conf.ctx, conn, bytes, len);
}

static void
report(void *ctx, const struct notifier_report *r)
{
	struct net_notify *nn = ctx;
	nn->conf.report(nn->conf.ctx, r);
}

static uint16_t
random_id(void *ctx)
{
	(void)ctx;
	uint16_t id = 0;
	ssize_t got = getrandom(&id, sizeof id, 0); /* two octets never come in part */
	ASSERT(got == (ssize_t)sizeof id);
	return id;
}

/* ---- from other threads ---- */

static void
take_news(struct net_notify *nn, const struct notify_entry *e, const struct notifier_now *t)
{
	struct notify_news news;
	struct notify_target to;
	struct tsig_key key;
	notify_entry_read(e, &news, &to, &key);
	err_t err = notifier_add(nn->machine, t, &news, &to);
	(void)err; /* it is counted there */
	if (to.key != NULL) {
		wipe(&key, sizeof key);
	}
}

static void
take_entry(struct net_notify *nn, const struct notify_entry *e)
{
	struct notifier_now t = now();
	switch (e->kind) {
	case NOTIFY_ENTRY_NEWS:
		take_news(nn, e, &t);
		break;
	case NOTIFY_ENTRY_INPUT:
		notifier_conn_input(nn->machine, &t, e->target.conn, e->bytes, e->message_len);
		break;
	case NOTIFY_ENTRY_CLOSED:
		notifier_conn_closed(nn->machine, &t, e->target.conn);
		break;
	}
}

static void
close_handle(uv_handle_t *handle, void *ctx)
{
	(void)ctx;
	if (uv_is_closing(handle)) {
		return;
	}
	if (handle->type == UV_TCP) {
		exchange_drop((struct exchange *)handle);
	} else {
		uv_close(handle, NULL);
	}
}

static void
on_wake(uv_async_t *wake)
{
	struct net_notify *nn = wake->data;
	struct notify_entry *e;
	unsigned left = ENTRIES_A_TURN;
	if (atomic_load(&nn->stop)) {
		uv_walk(&nn->loop, close_handle, NULL);
		return;
	}
	while (left != 0 && (e = notify_queue_take(&nn->queue)) != NULL) {
		take_entry(nn, e);
		notify_entry_free(&e);
		left--;
	}
	after_input(nn);
	if (left == 0) {
		(void)uv_async_send(&nn->wake);
	}
}

err_t
net_notify_add(struct net_notify *nn, const struct notify_news *news, const struct notify_target *to)
{
	err_t err = notify_queue_news(&nn->queue, news, to);
	(void)uv_async_send(&nn->wake);
	return err;
}

void
net_notify_conn_input(struct net_notify *nn, uint64_t conn, const uint8_t *bytes, size_t len)
{
	err_t err = notify_queue_input(&nn->queue, conn, bytes, len);
	(void)err; /* one that is lost is as one that never came */
	(void)uv_async_send(&nn->wake);
}

void
net_notify_conn_closed(struct net_notify *nn, uint64_t conn)
{
	err_t err = notify_queue_closed(&nn->queue, conn);
	(void)err; /* then the next that should go over it cannot */
	(void)uv_async_send(&nn->wake);
}

void
net_notify_stats(struct net_notify *nn, struct notifier_stats *out)
{
	pthread_mutex_lock(&nn->lock);
	*out = nn->stats;
	pthread_mutex_unlock(&nn->lock);
	out->over_limit += notify_queue_over_limit(&nn->queue);
}

const struct pulse *
net_notify_pulse(const struct net_notify *nn)
{
	return &nn->pulse.pulse;
}

/* ---- beginning and end ---- */

static err_t
source_failed(struct diag *diag, const struct listen_address *a, int why)
{
	char text[LISTEN_TEXT_MAX];
	listen_print(a, text);
	diag_set(diag, DIAG_ERROR, "notify", "cannot send from %s: %s", text, uv_strerror(why));
	diag_hint(diag, "an address of an interface of this machine is wanted: see \"ip address\"");
	return why == UV_EADDRNOTAVAIL || why == UV_EAFNOSUPPORT ? E_UNSUPPORTED : E_IO;
}

static err_t
family_open(struct net_notify *nn, struct family *f, int af, const struct listen_address *source, struct diag *diag)
{
	struct listen_address from = { .sa.any.sa_family = (sa_family_t)af }; /* the wildcard, any port */
	if (source != NULL) {
		from = *source;
		*(af == AF_INET ? &from.sa.v4.sin_port : &from.sa.v6.sin6_port) = 0;
	}
	if (uv_udp_init(&nn->loop, &f->udp) != 0) {
		return E_NOMEM;
	}
	f->udp.data = nn;
	int err = uv_udp_bind(&f->udp, &from.sa.any, af == AF_INET6 ? UV_UDP_IPV6ONLY : 0);
	if (err == 0) {
		err = uv_udp_recv_start(&f->udp, on_datagram_buffer, on_datagram);
	}
	f->is_there = err == 0;
	if (source != NULL) {
		f->source = from;
	}
	return err == 0 || source == NULL ? OK : source_failed(diag, source, err);
}

static void *
run(void *arg)
{
	struct net_notify *nn = arg;
	sigset_t pipe;
	thread_name("notify");
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE); /* of a target that is gone: libuv's write() tells with EPIPE as well */
	(void)pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	(void)uv_run(&nn->loop, UV_RUN_DEFAULT); /* until every handle is closed */
	return NULL;
}

static struct net_notify *
notify_new(const struct net_notify_conf *conf)
{
	struct net_notify *nn = xalloc(sizeof *nn);
	nn->conf = *conf;
	const struct notifier_conf machine = {
		.io = { .send_udp = send_udp, .exchange_open = exchange_open, .exchange_send = exchange_send,
		        .exchange_close = exchange_close, .send_over = send_over, .report = report,
		        .random_id = random_id, .ctx = nn },
	};
	if (uv_loop_init(&nn->loop) != 0) {
		free(nn);
		return NULL;
	}
	notify_queue_init(&nn->queue);
	int err = pthread_mutex_init(&nn->lock, NULL);
	ASSERT(err == 0);
	nn->machine = notifier_new(&machine);
	return nn;
}

/* Its thread has ended, or never began. */
static void
notify_free(struct net_notify *nn)
{
	uv_walk(&nn->loop, close_handle, NULL);
	(void)uv_run(&nn->loop, UV_RUN_DEFAULT);
	ASSERT(uv_loop_close(&nn->loop) == 0);
	notifier_free(&nn->machine);
	notify_queue_fini(&nn->queue);
	pthread_mutex_destroy(&nn->lock);
	free(nn);
}

static err_t
notify_prepare(struct net_notify *nn, struct diag *diag)
{
	if (uv_async_init(&nn->loop, &nn->wake, on_wake) != 0 || uv_timer_init(&nn->loop, &nn->timer) != 0 ||
	    !loop_pulse_start(&nn->loop, &nn->pulse)) {
		return E_NOMEM;
	}
	nn->wake.data = nn->timer.data = nn;
	TRY(family_open(nn, &nn->v4, AF_INET, nn->conf.source_v4, diag));
	return family_open(nn, &nn->v6, AF_INET6, nn->conf.source_v6, diag);
}

err_t
net_notify_start(const struct net_notify_conf *conf, struct net_notify **out, struct diag *diag)
{
	diag_set(diag, DIAG_ERROR, "notify", "no memory or descriptors for NOTIFY");
	struct net_notify *nn = notify_new(conf);
	if (nn == NULL) {
		return E_NOMEM;
	}
	err_t err = notify_prepare(nn, diag);
	if (err == OK && pthread_create(&nn->thread, NULL, run, nn) != 0) {
		err = E_NOMEM;
	}
	if (err != OK) {
		notify_free(nn);
		return err;
	}
	*out = nn;
	return OK;
}

void
net_notify_stop(struct net_notify **nn)
{
	if (*nn == NULL) {
		return;
	}
	atomic_store(&(*nn)->stop, true);
	(void)uv_async_send(&(*nn)->wake);
	pthread_join((*nn)->thread, NULL);
	notify_free(*nn);
	*nn = NULL;
}
