/* The follower's thread, and the functions that other threads call. */
#include "net/follow.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "auth/keepalive.h"
#include "base/alloc.h"
#include "dns/wire.h"
#include "net/dial.h"
#include "net/env.h"
#include "net/link_source.h"
#include "net/loop_pulse.h"
#include "net/loop_timer.h"
#include "net/notice_queue.h"
#include "net/peer.h"
#include "net/random.h"
#include "net/udp_questions.h"
#include "ops/priority.h"
#include "ops/thread.h"

enum {
	NOTICES_A_TURN = 1000, /* to take before the network has its turn */
	KEEPALIVE_S = 60,      /* also keeps a NAT from forgetting the link */
};

struct link {
	struct dial *dial;      /* NULL: it is not in use, or has failed */
	const char *failed;     /* could not even begin, and the machine does not know yet; NULL: no */
	struct net_follow *owner;
	struct peer peer;
};

struct net_follow {
	struct net_follow_conf conf;
	struct follow_source *sources;          /* conf.sources is this copy */
	struct link_source from;
	struct notice_queue notices;            /* any thread */
	atomic_bool stop, is_woken;             /* any thread */
	pthread_mutex_t lock;                   /* for `stats` */
	struct follower_stats stats;            /* a copy of the machine's, made before each wait */
	pthread_t thread;
	bool is_started;
	uv_async_t wake;
	uv_loop_t loop;
	struct loop_timer timer;
	uv_prepare_t prepare;
	struct loop_pulse pulse;
	struct follower *machine;
	struct link links[FOLLOWER_LINKS_MAX];
	struct udp_questions questions;
	unsigned failed_n;                      /* links whose `failed` is set */
	uint8_t answer[DNS_MSG_MAX];
};

/* ---- links ---- */

static unsigned
number_of(const struct link *l)
{
	return (unsigned)(l - l->owner->links);
}

static void
on_request(struct link *l, const uint8_t *bytes, size_t len)
{
	struct net_follow *nf = l->owner;
	size_t n = nf->conf.request(nf->conf.ctx, &l->peer, bytes, len, nf->answer, sizeof nf->answer);
	if (n != 0) {
		(void)dial_send(l->dial, nf->answer, n); /* a peer that does not read its answers does without */
	}
}

static void
on_message(void *ctx, const uint8_t *bytes, size_t len)
{
	struct link *l = ctx;
	struct now t = net_now();
	if (dns_is_response(bytes)) {
		follower_input(l->owner->machine, &t, number_of(l), bytes, len);
	} else {
		on_request(l, bytes, len);
	}
}

static void
on_ended(void *ctx, const char *why)
{
	struct link *l = ctx;
	struct now t = net_now();
	l->dial = NULL;
	follower_closed(l->owner->machine, &t, number_of(l), why);
}

/* A link that cannot even begin is like one that fails at once, because the machine then learns why. */
static bool
link_open(void *ctx, unsigned link, const struct follow_source *to)
{
	struct net_follow *nf = ctx;
	struct link *l = &nf->links[link];
	const struct dial_conf conf = {
		.from = link_source_for(&nf->from, to),
		.to = listen_at(&to->address, to->port),
		.message_max = DNS_MSG_MAX,
		.keepalive_s = KEEPALIVE_S,
		.message = on_message,
		.ended = on_ended,
		.ctx = l,
	};
	*l = (struct link){ .owner = nf };
	(void)peer_from_sockaddr(&conf.to.sa.any, TRANSPORT_TCP, &l->peer);
	l->peer.idle_100ms = KEEPALIVE_100MS_MAX; /* we do not close it before the primary wants to */
	l->dial = dial_begin(&nf->loop, &conf, &l->failed);
	nf->failed_n += l->dial == NULL;
	return true;
}

static bool
link_send(void *ctx, unsigned link, const uint8_t *bytes, size_t len)
{
	struct net_follow *nf = ctx;
	struct link *l = &nf->links[link];
	return l->dial == NULL || dial_send(l->dial, bytes, len);
}

static void
link_close(void *ctx, unsigned link)
{
	struct net_follow *nf = ctx;
	struct link *l = &nf->links[link];
	nf->failed_n -= l->failed != NULL;
	l->failed = NULL;
	dial_close(&l->dial);
}

static void
tell_failed(struct net_follow *nf)
{
	for (unsigned i = 0; i < FOLLOWER_LINKS_MAX && nf->failed_n != 0; i++) {
		const char *why = nf->links[i].failed;
		if (why != NULL) {
			struct now t = net_now();
			link_close(nf, i);
			follower_closed(nf->machine, &t, i, why);
		}
	}
}

/* ---- questions over UDP ---- */

_Static_assert((int)UDP_QUESTIONS_MAX == (int)FOLLOWER_UDP_MAX, "slots");

static bool
question_send(void *ctx, unsigned slot, const struct follow_source *to, const uint8_t *bytes, size_t len)
{
	struct net_follow *nf = ctx;
	const struct listen_address from = link_source_for(&nf->from, to), at = listen_at(&to->address, to->port);
	return udp_questions_send(&nf->questions, slot, &from, &at, bytes, len);
}

static void
question_end(void *ctx, unsigned slot)
{
	struct net_follow *nf = ctx;
	udp_questions_end(&nf->questions, slot);
}

static void
on_answer(void *ctx, unsigned slot, const uint8_t *bytes, size_t len)
{
	struct net_follow *nf = ctx;
	struct now t = net_now();
	follower_datagram(nf->machine, &t, slot, bytes, len);
}

static void
on_unreachable(void *ctx, unsigned slot)
{
	struct net_follow *nf = ctx;
	struct now t = net_now();
	follower_unreachable(nf->machine, &t, slot);
}

/* ---- further functions of struct follower_io, and of struct follower_conf ---- */

static uint32_t
random_number(void *ctx)
{
	(void)ctx;
	return net_random_u32();
}

static err_t
take(void *ctx, const uint8_t *zone, struct zone **whole, struct zone_txn **changes, const struct zone **version)
{
	const struct follower_io *io = &((struct net_follow *)ctx)->conf.machine.io;
	return io->take(io->ctx, zone, whole, changes, version);
}

static err_t
show(void *ctx, const uint8_t *zone, enum follow_presence presence)
{
	const struct follower_io *io = &((struct net_follow *)ctx)->conf.machine.io;
	return io->show(io->ctx, zone, presence);
}

static err_t
restore(void *ctx, const uint8_t *zone, struct zone **whole, enum follow_presence presence, uint64_t changed_s,
        const struct zone **version)
{
	const struct follower_io *io = &((struct net_follow *)ctx)->conf.machine.io;
	return io->restore(io->ctx, zone, whole, presence, changed_s, version);
}

static err_t
belongs(void *ctx, const uint8_t *zone, const uint8_t *catalog)
{
	const struct follower_io *io = &((struct net_follow *)ctx)->conf.machine.io;
	return io->belongs != NULL ? io->belongs(io->ctx, zone, catalog) : OK;
}

static void
report(void *ctx, const struct follow_report *r)
{
	const struct follower_io *io = &((struct net_follow *)ctx)->conf.machine.io;
	io->report(io->ctx, r);
}

static size_t
octets_max(void *ctx)
{
	const struct follower_conf *machine = &((struct net_follow *)ctx)->conf.machine;
	return machine->octets_max(machine->io.ctx);
}

/* ---- the loop ---- */

static void
on_timer(uv_timer_t *timer)
{
	struct net_follow *nf = timer->data;
	struct now t = net_now();
	follower_timer(nf->machine, &t);
}

/* Before each wait, whatever has happened: sets the timer to the machine's next deadline. */
static void
on_prepare(uv_prepare_t *prepare)
{
	struct net_follow *nf = prepare->data;
	tell_failed(nf);
	pthread_mutex_lock(&nf->lock);
	nf->stats = *follower_stats(nf->machine);
	pthread_mutex_unlock(&nf->lock);
	loop_timer_set(&nf->timer, on_timer, nf->failed_n != 0 ? 0 : follower_deadline(nf->machine));
}

/* True: there may be more. */
static bool
take_notices(struct net_follow *nf)
{
	struct follow_notice n;
	unsigned left = NOTICES_A_TURN;
	while (left != 0 && notice_queue_take(&nf->notices, &n)) {
		struct now t = net_now();
		follower_notice(nf->machine, &t, &n);
		left--;
	}
	return left == 0;
}

static void
close_handle(uv_handle_t *handle, void *ctx)
{
	(void)ctx;
	if (!uv_is_closing(handle)) {
		uv_close(handle, NULL);
	}
}

static void
close_all(struct net_follow *nf)
{
	for (unsigned i = 0; i < FOLLOWER_LINKS_MAX; i++) {
		dial_close(&nf->links[i].dial);
	}
	udp_questions_end_all(&nf->questions);
	if (nf->conf.guest.begin != NULL) {
		nf->conf.guest.end(nf->conf.guest.ctx);
	}
	uv_walk(&nf->loop, close_handle, NULL);
}

static void
on_wake(uv_async_t *wake)
{
	struct net_follow *nf = wake->data;
	if (atomic_load(&nf->stop)) {
		close_all(nf);
		return;
	}
	if (take_notices(nf)) {
		(void)uv_async_send(&nf->wake);
	}
	if (atomic_exchange(&nf->is_woken, false)) {
		nf->conf.woken(nf->conf.ctx);
	}
}

static void *
run(void *arg)
{
	struct net_follow *nf = arg;
	sigset_t pipe;
	thread_name("follow");
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE); /* when a primary is gone, write() also returns EPIPE, which libuv reports */
	(void)pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	priority_give_way(); /* queries go first */
	(void)uv_run(&nf->loop, UV_RUN_DEFAULT); /* until every handle is closed */
	return NULL;
}

/* ---- from other threads ---- */

bool
net_follow_notice_of(const struct peer *from, const struct server_out *out, const uint8_t *bytes, size_t len, struct follow_notice *n)
{
	if (out->event != EVENT_NOTIFY_ACCEPTED && out->event != EVENT_NOTIFY_UNSIGNED) {
		return false;
	}
	*n = (struct follow_notice){ .zone = out->zone, .address = peer_key_address(from) };
	if (out->event == EVENT_NOTIFY_ACCEPTED) {
		n->key = out->key;
	}
	follow_notice_read(n, bytes, len);
	return true;
}

void
net_follow_notice(struct net_follow *nf, const struct follow_notice *n)
{
	err_t err = notice_queue_put(&nf->notices, n);
	(void)err; /* it is counted; a notice that is lost here is like one that the network lost */
	(void)uv_async_send(&nf->wake);
}

void
net_follow_stats(struct net_follow *nf, struct follower_stats *out)
{
	pthread_mutex_lock(&nf->lock);
	*out = nf->stats;
	pthread_mutex_unlock(&nf->lock);
}

uint64_t
net_follow_notices_dropped(struct net_follow *nf)
{
	return notice_queue_dropped(&nf->notices);
}

void
net_follow_wake(struct net_follow *nf)
{
	atomic_store(&nf->is_woken, true);
	(void)uv_async_send(&nf->wake);
}

struct follower *
net_follow_machine(const struct net_follow *nf)
{
	return nf->machine;
}

const struct pulse *
net_follow_pulse(const struct net_follow *nf)
{
	return &nf->pulse.pulse;
}

/* ---- beginning and end ---- */

static struct net_follow *
follow_new(const struct net_follow_conf *conf)
{
	struct net_follow *nf = xalloc(sizeof *nf);
	if (uv_loop_init(&nf->loop) != 0) {
		free(nf);
		return NULL;
	}
	nf->conf = *conf;
	nf->questions.loop = &nf->loop;
	nf->questions.answered = on_answer;
	nf->questions.not_reached = on_unreachable;
	nf->questions.ctx = nf;
	nf->sources = xalloc((conf->sources_n + 1) * sizeof *nf->sources);
	if (conf->sources_n != 0) {
		memcpy(nf->sources, conf->sources, conf->sources_n * sizeof *nf->sources);
	}
	nf->conf.sources = nf->sources;
	nf->from = (struct link_source){ listen_any_port(conf->from_v4), listen_any_port(conf->from_v6) };
	int err = pthread_mutex_init(&nf->lock, NULL);
	ASSERT(err == 0);
	notice_queue_init(&nf->notices, (uint64_t)net_random_u32() << 32 | net_random_u32());
	struct follower_conf machine = conf->machine;
	machine.octets_max = conf->machine.octets_max != NULL ? octets_max : NULL;
	machine.io = (struct follower_io){ .open = link_open, .send = link_send, .close = link_close, .udp_send = question_send,
		                           .udp_end = question_end, .take = take, .show = show, .restore = restore,
		                           .belongs = belongs, .report = report, .random_u32 = random_number, .ctx = nf };
	nf->machine = follower_new(&machine);
	return nf;
}

/* Called when the thread has ended, or was never started. */
static void
follow_free(struct net_follow *nf)
{
	close_all(nf);
	(void)uv_run(&nf->loop, UV_RUN_DEFAULT);
	ASSERT(uv_loop_close(&nf->loop) == 0);
	follower_free(&nf->machine);
	pthread_mutex_destroy(&nf->lock);
	notice_queue_fini(&nf->notices);
	free(nf->sources);
	free(nf);
}

static err_t
add_catalog(struct net_follow *nf, const struct now *t, const struct name *catalog, struct diag *diag)
{
	char name[NAME_TEXT_MAX];
	err_t err = follower_add_catalog(nf->machine, t, catalog->oct);
	name_show(catalog->oct, name);
	if (err == E_NOTFOUND) {
		diag_set(diag, DIAG_ERROR, "follow", "no key may transfer the catalog %.200s", name);
		diag_hint(diag, "make one with a name like PRIMARY.SECONDARY._transfer.%.200s, or give one for a domain around it", name);
	} else if (err != OK && err != E_NOMEM) {
		const char *why = err == E_EXISTS ? "it is there twice" : "there are too many";
		diag_set(diag, DIAG_ERROR, "follow", "catalog %.200s: %s", name, why);
	}
	return err;
}

static err_t
add_sources(struct net_follow *nf, struct diag *diag)
{
	const struct now t = net_now();
	for (size_t i = 0; i < nf->conf.sources_n; i++) {
		err_t err = follower_add(nf->machine, &t, &nf->sources[i]);
		if (err == E_LIMIT) {
			diag_set(diag, DIAG_ERROR, "follow", "there are too many primaries: at most %d, with %d keys and domains in all",
			         FOLLOWER_LINKS_MAX, FOLLOWER_SOURCES_MAX);
			diag_hint(diag, "leave some keys out, or let another process follow their zones");
		}
		TRY(err);
	}
	for (size_t i = 0; i < nf->conf.catalogs_n; i++) {
		TRY(add_catalog(nf, &t, &nf->conf.catalogs[i], diag));
	}
	return OK;
}

static err_t
follow_prepare(struct net_follow *nf, struct diag *diag)
{
	if (uv_async_init(&nf->loop, &nf->wake, on_wake) != 0 || uv_timer_init(&nf->loop, &nf->timer.handle) != 0 ||
	    uv_prepare_init(&nf->loop, &nf->prepare) != 0 || uv_prepare_start(&nf->prepare, on_prepare) != 0 ||
	    !loop_pulse_start(&nf->loop, &nf->pulse)) {
		return E_NOMEM;
	}
	nf->wake.data = nf->timer.handle.data = nf->prepare.data = nf;
	if (nf->conf.guest.begin != NULL) {
		TRY(nf->conf.guest.begin(nf->conf.guest.ctx, &nf->loop, nf->machine, &nf->from));
	}
	return add_sources(nf, diag);
}

static const char NO_ROOM[] = "no memory or descriptors for following primaries";

err_t
net_follow_new(const struct net_follow_conf *conf, struct net_follow **out, struct diag *diag)
{
	diag_set(diag, DIAG_ERROR, "follow", "%s", NO_ROOM);
	struct net_follow *nf = follow_new(conf);
	if (nf == NULL) {
		return E_NOMEM;
	}
	err_t err = follow_prepare(nf, diag);
	if (err != OK) {
		follow_free(nf);
		return err;
	}
	*out = nf;
	return OK;
}

err_t
net_follow_start(struct net_follow *nf, struct diag *diag)
{
	diag_set(diag, DIAG_ERROR, "follow", "%s", NO_ROOM);
	nf->is_started = pthread_create(&nf->thread, NULL, run, nf) == 0;
	return nf->is_started ? OK : E_NOMEM;
}

bool
net_follow_stop(struct net_follow **nf, unsigned limit_ms)
{
	if (*nf == NULL) {
		return true;
	}
	atomic_store(&(*nf)->stop, true);
	(void)uv_async_send(&(*nf)->wake);
	if ((*nf)->is_started && !thread_join_within((*nf)->thread, limit_ms)) {
		return false;
	}
	follow_free(*nf);
	*nf = NULL;
	return true;
}
