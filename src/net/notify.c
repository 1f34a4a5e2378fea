/* The notifier's thread, and the functions that other threads call. */
#include "net/notify.h"

#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "net/notify_p.h"
#include "net/random.h"
#include "ops/thread.h"

enum { ENTRIES_A_TURN = 1000 }; /* entries of the queue to take before the network has its turn */

/* ---- after each input ---- */

static void on_timer(uv_timer_t *timer);

void
notify_after_input(struct net_notify *nn)
{
	loop_timer_set(&nn->timer, on_timer, notifier_deadline(nn->machine));
	pthread_mutex_lock(&nn->lock);
	nn->stats = *notifier_stats(nn->machine);
	pthread_mutex_unlock(&nn->lock);
}

static void
on_timer(uv_timer_t *timer)
{
	struct net_notify *nn = timer->data;
	struct now t = net_now();
	notifier_timer(nn->machine, &t);
	notify_after_input(nn);
}

/* ---- further functions of struct notifier_io ---- */

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
	return (uint16_t)net_random_u32();
}

/* ---- from other threads ---- */

static void
take_news(struct net_notify *nn, const struct notify_entry *e, const struct now *t)
{
	struct notify_news news;
	struct notify_target to;
	struct tsig_key key;
	notify_entry_read(e, &news, &to, &key);
	err_t err = notifier_add(nn->machine, t, &news, &to);
	(void)err; /* the machine has counted it */
	if (to.key != NULL) {
		wipe(&key, sizeof key);
	}
}

static void
take_entry(struct net_notify *nn, const struct notify_entry *e)
{
	struct now t = net_now();
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
	if (handle->type == UV_UDP) {
		notify_udp_close(handle);
	} else {
		uv_close(handle, NULL);
	}
}

static void
close_all(struct net_notify *nn)
{
	notify_exchanges_end(nn);
	uv_walk(&nn->loop, close_handle, NULL);
}

static void
on_wake(uv_async_t *wake)
{
	struct net_notify *nn = wake->data;
	struct notify_entry *e;
	unsigned left = ENTRIES_A_TURN;
	if (atomic_load(&nn->stop)) {
		close_all(nn);
		return;
	}
	while (left != 0 && (e = notify_queue_take(&nn->queue)) != NULL) {
		take_entry(nn, e);
		notify_entry_free(&e);
		left--;
	}
	notify_after_input(nn);
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
	(void)err; /* a message that is lost here is like one that the network lost */
	(void)uv_async_send(&nn->wake);
}

void
net_notify_conn_closed(struct net_notify *nn, uint64_t conn)
{
	err_t err = notify_queue_closed(&nn->queue, conn);
	(void)err; /* without this entry, the next message over the connection cannot be sent, and that tells */
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

static void *
run(void *arg)
{
	struct net_notify *nn = arg;
	sigset_t pipe;
	thread_name("notify");
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE); /* when a target is gone, write() also returns EPIPE, which libuv reports */
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
		.io = { .send_udp = notify_send_udp, .exchange_open = notify_exchange_open, .exchange_send = notify_exchange_send,
		        .exchange_close = notify_exchange_close, .send_over = send_over, .report = report,
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

/* Called when the thread has ended, or was never started. */
static void
notify_free(struct net_notify *nn)
{
	close_all(nn);
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
	if (uv_async_init(&nn->loop, &nn->wake, on_wake) != 0 || uv_timer_init(&nn->loop, &nn->timer.handle) != 0 ||
	    !loop_pulse_start(&nn->loop, &nn->pulse)) {
		return E_NOMEM;
	}
	nn->wake.data = nn->timer.handle.data = nn;
	return notify_udp_open(nn, diag);
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
