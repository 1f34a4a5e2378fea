#include "auth/notifier.h"

#include <stdlib.h>

#include "auth/notifier_p.h"
#include "base/alloc.h"
#include "dns/msg.h"

#define SECOND_NS UINT64_C(1000000000)

enum {
	PATIENCE_S = 5,         /* an attempt waits no longer: a resolver waits no longer either */
	TCP_FIFTHS = 3,         /* of the patience are TCP's; UDP has the rest, and needs one round trip instead of two */
	STALL_S = 3,            /* an exchange that brings no answer for so long is dead */
	UNANSWERED_ATTEMPTS = 8, /* those of the first minute; from then on the waits are long */
};

/* From one attempt to the next. */
static const uint32_t schedule_s[NOTIFIER_ATTEMPTS_MAX - 1] = { 1, 1, 1, 4, 13, 20, 20, 120, 420, 900, 2100, 82800 };

static uint64_t
interval_s(const struct notice *x)
{
	return x->attempts < NOTIFIER_ATTEMPTS_MAX ? schedule_s[x->attempts - 1] : PATIENCE_S;
}

static uint64_t
patience_ns(const struct notice *x)
{
	uint64_t s = interval_s(x);
	return (s < PATIENCE_S ? s : PATIENCE_S) * SECOND_NS;
}

/* Until when an answer to the message that is sent now is waited for. */
static uint64_t
deadline_ns(const struct notice *x, uint64_t now_ns)
{
	uint64_t patience = patience_ns(x), tcp = patience / 5 * TCP_FIFTHS;
	if (x->transport == NOTIFY_OVER_TCP) {
		return x->begun_ns + tcp;
	}
	uint64_t least = now_ns + patience - tcp; /* also when we are late */
	return x->begun_ns + patience > least ? x->begun_ns + patience : least;
}

static struct notice *
notice_of(struct list_link *link)
{
	return LIST_ENTRY(link, struct notice, link);
}

/* ---- what is where ---- */

static bool
any_in(const struct list_link queues[NOTICE_QUEUES])
{
	return !list_is_empty(&queues[NOTICE_FRESH]) || !list_is_empty(&queues[NOTICE_AGAIN]);
}

/* After any change to a peer: may it send?  And it is looked at again before the input ends. */
static void
peer_changed(struct notifier *n, struct peer *p)
{
	bool is_ready = (any_in(p->waiting) || any_in(p->waiting_udp)) && p->in_flight < p->window;
	if (is_ready && !list_is_linked(&p->ready)) {
		list_append(&n->ready, &p->ready);
	} else if (!is_ready && list_is_linked(&p->ready)) {
		list_remove(&p->ready);
	}
	if (!list_is_linked(&p->touched)) {
		list_append(&n->touched, &p->touched);
	}
}

static void
wait_in_order(struct notifier *n, struct notice *x)
{
	struct peer *p = x->peer;
	struct list_link *queues = any_in(p->waiting_udp) ? p->waiting_udp : p->waiting;
	x->state = NOTICE_WAITING;
	list_append(&queues[x->attempts == 0 ? NOTICE_FRESH : NOTICE_AGAIN], &x->link);
	peer_changed(n, p);
}

static void
take_off(struct notifier *n, struct notice *x, uint64_t now_ns)
{
	struct peer *p = x->peer;
	x->state = NOTICE_IN_FLIGHT;
	list_append(x->transport == NOTIFY_OVER_TCP ? &p->on_exchange : &p->in_air, &x->link);
	p->in_flight++;
	n->stats.in_flight++;
	heap_set(&n->timers, &x->timer, deadline_ns(x, now_ns));
	peer_changed(n, p);
}

/* Out of whatever state, into IDLE. */
static void
detach(struct notifier *n, struct notice *x)
{
	if (x->state == NOTICE_IN_FLIGHT) {
		unsigned *place = x->is_doubted ? &x->peer->doubted : &x->peer->in_flight;
		(*place)--;
		x->is_doubted = false;
		n->stats.in_flight--;
	}
	if (list_is_linked(&x->link)) {
		list_remove(&x->link);
	}
	x->state = NOTICE_IDLE;
	heap_remove(&n->timers, &x->timer);
	peer_changed(n, x->peer);
}

/* ---- outcomes ---- */

static void
report(struct notifier *n, const struct notice *x, struct notifier_report r)
{
	struct notify_target target = x->peer->at;
	const struct signer *signer = notice_signer(x);
	target.key = signer != NULL ? &signer->tsig : NULL;
	r.zone = x->zone;
	r.news = (struct notify_news){ .zone = x->zone, .soa = x->rdlen != 0 ? notice_soa(x) : NULL, .soa_len = x->rdlen,
		                       .soa_ttl = x->ttl };
	r.is_removal = x->rdlen == 0;
	r.serial = x->serial;
	r.target = &target;
	r.attempts = x->attempts;
	r.transport = x->transport;
	n->stats.outcomes[r.outcome]++;
	n->conf.io.report(n->conf.io.ctx, &r);
}

static void
forget(struct notifier *n, struct notice *x)
{
	detach(n, x);
	peer_take(x);
	notice_free(n, x);
	n->stats.pending--;
}

static void
finish(struct notifier *n, struct notice *x, struct notifier_report r)
{
	report(n, x, r);
	forget(n, x);
}

_Static_assert(NOTIFY_OUTCOMES <= 8, "notice.said is an octet");

static bool
has_said(const struct notice *x, enum notify_outcome o)
{
	return (x->said & 1 << o) != 0;
}

/* It goes on; said once. */
static void
say(struct notifier *n, struct notice *x, struct notifier_report r)
{
	if (!has_said(x, r.outcome)) {
		x->said |= (uint8_t)(1 << r.outcome);
		report(n, x, r);
	}
}

/* Its address does not lead to it, as far as can be told by now: with none of the keys. */
static bool
is_unreached(const struct notice *x)
{
	return x->peer->at.conn == 0 && x->attempts >= NOTIFIER_UNREACHED_ATTEMPTS && x->attempts >= x->signers_n &&
	       !has_said(x, NOTIFY_PUT_OFF);
}

/* The attempt is over without success.  Idle before. */
static void
rest(struct notifier *n, struct notice *x)
{
	n->stats.failed++;
	x->state = NOTICE_RESTING;
	heap_set(&n->timers, &x->timer, x->begun_ns + interval_s(x) * SECOND_NS);
	if (is_unreached(x)) {
		say(n, x, (struct notifier_report){ .outcome = NOTIFY_UNREACHED });
	}
	if (x->attempts == UNANSWERED_ATTEMPTS) {
		say(n, x, (struct notifier_report){ .outcome = NOTIFY_UNANSWERED });
	} else if (x->attempts == NOTIFIER_ATTEMPTS_MAX) {
		finish(n, x, (struct notifier_report){ .outcome = NOTIFY_GAVE_UP });
	}
}

/* ---- sending ---- */

static struct notice *
in_flight_with(const struct list_link *list, uint16_t id)
{
	for (struct list_link *l = list->next; l != list; l = l->next) { /* NOTIFIER_WINDOW_MAX + NOTIFIER_DOUBTED_MAX at most */
		if (notice_of(l)->id == id) {
			return notice_of(l);
		}
	}
	return NULL;
}

static uint16_t
unused_id(const struct notifier *n, const struct peer *p)
{
	uint16_t id = n->conf.io.random_id(n->conf.io.ctx);
	while (in_flight_with(&p->on_exchange, id) != NULL || in_flight_with(&p->in_air, id) != NULL) {
		id++;
	}
	return id;
}

static bool
exchange_open(struct notifier *n, struct peer *p, uint64_t now_ns, const uint8_t *bytes, size_t len)
{
	if (n->stats.exchanges == NOTIFIER_EXCHANGES_MAX) {
		return false;
	}
	unsigned e = n->free_exchange[n->stats.exchanges];
	if (!n->conf.io.exchange_open(n->conf.io.ctx, e, &p->at, bytes, len)) {
		return false;
	}
	n->stats.exchanges++;
	n->exchange[e] = p;
	p->exchange = (int)e;
	p->has_answered = false;
	p->heard_ns = now_ns;
	heap_set(&n->stalls, &p->stall, now_ns + STALL_S * SECOND_NS);
	return true;
}

/* It is closed already. */
static void
exchange_drop(struct notifier *n, struct peer *p)
{
	n->exchange[p->exchange] = NULL;
	n->free_exchange[--n->stats.exchanges] = (uint16_t)p->exchange;
	p->exchange = NO_EXCHANGE;
	heap_remove(&n->stalls, &p->stall);
}

static void
exchange_close(struct notifier *n, struct peer *p)
{
	n->conf.io.exchange_close(n->conf.io.ctx, (unsigned)p->exchange);
	exchange_drop(n, p);
}

static bool
hand_over(struct notifier *n, struct peer *p, enum notify_transport t, uint64_t now_ns, const uint8_t *bytes, size_t len)
{
	const struct notifier_io *io = &n->conf.io;
	switch (t) {
	case NOTIFY_OVER_CONN:
		return io->send_over(io->ctx, p->at.conn, bytes, len);
	case NOTIFY_OVER_UDP:
		return io->send_udp(io->ctx, &p->at, bytes, len);
	default:
		return p->exchange == NO_EXCHANGE ? exchange_open(n, p, now_ns, bytes, len)
		                                  : io->exchange_send(io->ctx, (unsigned)p->exchange, bytes, len);
	}
}

/* From IDLE to IN_FLIGHT; false: it could not go, and is as it was. */
static bool
transmit(struct notifier *n, struct notice *x, enum notify_transport t, const struct notifier_now *now)
{
	uint8_t wire[NOTIFIER_MESSAGE_MAX];
	size_t len;
	x->id = unused_id(n, x->peer);
	x->transport = t;
	if (notice_write(x, now->wall_s, t == NOTIFY_OVER_UDP, wire, &len) != OK ||
	    !hand_over(n, x->peer, t, now->mono_ns, wire, len)) {
		n->stats.not_sent++;
		return false;
	}
	n->stats.sent[t]++;
	take_off(n, x, now->mono_ns);
	return true;
}

static void
transmit_udp(struct notifier *n, struct notice *x, const struct notifier_now *now)
{
	if (!transmit(n, x, NOTIFY_OVER_UDP, now)) {
		rest(n, x);
	}
}

/* TCP brought no answer. */
static void
fall_back(struct notifier *n, struct notice *x, const struct notifier_now *now)
{
	detach(n, x);
	transmit_udp(n, x, now);
}

/* The exchange is gone, or could not be opened.  `is_dead`: another one would fare no better. */
static void
tcp_failed(struct notifier *n, struct peer *p, bool is_dead, const struct notifier_now *now)
{
	while (!list_is_empty(&p->on_exchange)) {
		fall_back(n, notice_of(p->on_exchange.next), now);
	}
	if (is_dead) {
		for (size_t q = 0; q < NOTICE_QUEUES; q++) {
			list_append_all(&p->waiting_udp[q], &p->waiting[q]);
		}
	}
	peer_changed(n, p);
}

static void
exchange_fail(struct notifier *n, struct peer *p, bool is_dead, const struct notifier_now *now)
{
	exchange_close(n, p);
	tcp_failed(n, p, is_dead, now);
}

static void
transmit_tcp(struct notifier *n, struct notice *x, const struct notifier_now *now)
{
	struct peer *p = x->peer;
	if (transmit(n, x, NOTIFY_OVER_TCP, now)) {
		return;
	}
	if (p->exchange == NO_EXCHANGE) {
		tcp_failed(n, p, true, now);
	} else {
		exchange_fail(n, p, !p->has_answered, now);
	}
	transmit_udp(n, x, now);
}

/* Its own connection is gone. */
static void
conn_lost(struct notifier *n, const struct peer *p)
{
	struct notice *x;
	while ((x = trie_first(&p->notices.now)) != NULL) {
		finish(n, x, (struct notifier_report){ .outcome = NOTIFY_LOST });
	}
}

static struct notice *
whose_turn(struct peer *p, const struct list_link queues[NOTICE_QUEUES])
{
	enum notice_queue other = p->turn == NOTICE_FRESH ? NOTICE_AGAIN : NOTICE_FRESH;
	enum notice_queue q = list_is_empty(&queues[p->turn]) ? other : p->turn;
	p->turn = q == NOTICE_FRESH ? NOTICE_AGAIN : NOTICE_FRESH;
	return notice_of(queues[q].next);
}

/* Begins the attempt of the first that waits. */
static void
launch(struct notifier *n, struct peer *p, const struct notifier_now *now)
{
	bool has_tcp = !any_in(p->waiting_udp);
	struct notice *x = whose_turn(p, has_tcp ? p->waiting : p->waiting_udp);
	detach(n, x);
	x->turn = (uint8_t)(x->signers_n != 0 ? x->attempts % x->signers_n : 0);
	x->attempts++;
	x->begun_ns = now->mono_ns;
	if (p->at.conn != 0) {
		if (!transmit(n, x, NOTIFY_OVER_CONN, now)) {
			conn_lost(n, p);
		}
	} else if (has_tcp) {
		transmit_tcp(n, x, now);
	} else {
		transmit_udp(n, x, now);
	}
}

/* The end of every input: what may be sent is, and what is of no more use goes. */
static void
settle(struct notifier *n, const struct notifier_now *now)
{
	while (n->stats.in_flight < n->conf.in_flight_max && !list_is_empty(&n->ready)) {
		struct peer *p = LIST_ENTRY(n->ready.next, struct peer, ready);
		list_remove(&p->ready); /* if more waits for it, it goes to the end of the queue */
		launch(n, p, now);
		peer_changed(n, p);
	}
	while (!list_is_empty(&n->touched)) {
		struct peer *p = LIST_ENTRY(n->touched.next, struct peer, touched);
		list_remove(&p->touched);
		if (p->exchange != NO_EXCHANGE && list_is_empty(&p->on_exchange)) {
			exchange_close(n, p);
		}
		if (p->notices.now.n == 0) {
			peer_free(n, p);
		}
	}
}

/* ---- answers ---- */

/* Its right answer may yet come, but the peer has most likely said what it will: others need not wait for that.  A secondary may know
 * none of a thousand new zones, and answer for each of them unsigned. */
static void
leave_window(struct notifier *n, struct notice *x)
{
	struct peer *p = x->peer;
	if (!x->is_doubted && p->doubted < NOTIFIER_DOUBTED_MAX) {
		x->is_doubted = true;
		p->doubted++;
		p->in_flight--;
		peer_changed(n, p);
	}
}

static void
doubt(struct notifier *n, struct notice *x, const struct tsig *t)
{
	bool is_end_of_turn = x->attempts >= x->signers_n;
	n->stats.unverified++;
	if (is_end_of_turn) {
		say(n, x, (struct notifier_report){ .outcome = NOTIFY_UNVERIFIED, .tsig_error = t->error,
		                                    .is_peer_error = t->is_peer_error });
	}
	/* The peer it is, and it does not take this message; or somebody says so, and then there is another key to try. */
	if (t->is_error_signed || (t->is_peer_error && !is_end_of_turn)) {
		detach(n, x);
		rest(n, x);
	} else {
		leave_window(n, x);
	}
}

static void
take_answer(struct notifier *n, struct notice *x, unsigned rcode)
{
	if (rcode == RCODE_NOERROR) {
		finish(n, x, (struct notifier_report){ .outcome = NOTIFY_ACKNOWLEDGED });
	} else if (rcode == RCODE_SERVFAIL) {
		say(n, x, (struct notifier_report){ .outcome = NOTIFY_PUT_OFF, .rcode = rcode });
		detach(n, x);
		rest(n, x);
	} else if (x->signers_n > 1) { /* of this key */
		detach(n, x);
		notice_drop_key(n, x);
		rest(n, x);
	} else {
		finish(n, x, (struct notifier_report){ .outcome = NOTIFY_REFUSED, .rcode = rcode });
	}
}

static void
note_heard(struct notifier *n, struct peer *p, enum notify_transport t, uint64_t now_ns)
{
	p->window += p->window < NOTIFIER_WINDOW_MAX;
	if (t == NOTIFY_OVER_TCP) {
		p->has_answered = true;
		p->heard_ns = now_ns;
		heap_set(&n->stalls, &p->stall, now_ns + STALL_S * SECOND_NS);
	}
}

/* `p`: whom it came from; NULL: nobody that anything is pending for. */
static void
take_message(struct notifier *n, struct peer *p, enum notify_transport t, const struct notifier_now *now,
             const uint8_t *bytes, size_t len)
{
	struct msg m;
	if (msg_parse(bytes, len, &m) != OK) {
		n->stats.malformed++;
		return;
	}
	struct notice *x = p != NULL ? in_flight_with(t == NOTIFY_OVER_TCP ? &p->on_exchange : &p->in_air, m.id) : NULL;
	if (x == NULL || !notice_is_answered_by(x, &m)) {
		n->stats.unexpected++;
		return;
	}
	struct tsig tsig;
	if (!notice_is_verified(x, &m, now->wall_s, &tsig)) {
		doubt(n, x, &tsig);
	} else {
		note_heard(n, p, t, now->mono_ns);
		take_answer(n, x, m.bits & DNS_RCODE);
	}
	settle(n, now);
}

void
notifier_datagram(struct notifier *n, const struct notifier_now *now, const struct notify_target *from,
                  const uint8_t *bytes, size_t len)
{
	const struct notify_target at = { .address = from->address, .port = from->port };
	take_message(n, peer_find(n, &at), NOTIFY_OVER_UDP, now, bytes, len);
}

void
notifier_exchange_input(struct notifier *n, const struct notifier_now *now, unsigned exchange, const uint8_t *bytes,
                        size_t len)
{
	ASSERT(exchange < NOTIFIER_EXCHANGES_MAX);
	take_message(n, n->exchange[exchange], NOTIFY_OVER_TCP, now, bytes, len);
}

void
notifier_conn_input(struct notifier *n, const struct notifier_now *now, uint64_t conn, const uint8_t *bytes, size_t len)
{
	const struct notify_target at = { .conn = conn };
	take_message(n, peer_find(n, &at), NOTIFY_OVER_CONN, now, bytes, len);
}

/* ---- other inputs ---- */

void
notifier_exchange_closed(struct notifier *n, const struct notifier_now *now, unsigned exchange)
{
	ASSERT(exchange < NOTIFIER_EXCHANGES_MAX && n->exchange[exchange] != NULL);
	struct peer *p = n->exchange[exchange];
	exchange_drop(n, p);
	tcp_failed(n, p, !p->has_answered, now);
	settle(n, now);
}

void
notifier_conn_closed(struct notifier *n, const struct notifier_now *now, uint64_t conn)
{
	const struct peer *p = peer_find(n, &(struct notify_target){ .conn = conn });
	if (p != NULL) {
		conn_lost(n, p);
		settle(n, now);
	}
}

/* `x` comes in the place of `old`; where that waited for its turn, `x` has the turn: else a zone that changes more often than turns come
 * round would never have one. */
static void
succeed(struct notifier *n, struct notice *x, struct notice *old)
{
	if (old->state == NOTICE_WAITING && old->attempts == 0) {
		list_append(&old->link, &x->link); /* before it */
		x->state = NOTICE_WAITING;
	}
	detach(n, old);
}

/* *out: the notice that is to be sent, idle or waiting; NULL: it is under way, and has one more key.  *was_unreached: so was
 * the one that it takes the place of. */
static err_t
put_in(struct notifier *n, struct peer *p, const struct notify_news *news, const struct tsig_key *key,
       struct notice **out, bool *was_unreached)
{
	struct notice *x = NULL, *old = peer_notice(p, news->zone);
	*out = NULL;
	if (old != NULL && notice_has_room(old, news, key)) {
		return notice_add_key(n, old, key);
	}
	if (old == NULL && (n->stats.pending >= n->conf.pending_max || n->stats.octets >= n->conf.octets_max)) {
		return E_LIMIT;
	}
	TRY(notice_new(n, news, key, &x));
	err_t err = peer_put(p, x, &old);
	if (err != OK) {
		notice_free(n, x);
		return err;
	}
	*was_unreached = old != NULL && has_said(old, NOTIFY_UNREACHED);
	if (old != NULL) {
		succeed(n, x, old);
		notice_free(n, old);
		n->stats.replaced++;
	} else {
		n->stats.pending++;
	}
	*out = x;
	return OK;
}

err_t
notifier_add(struct notifier *n, const struct notifier_now *now, const struct notify_news *news,
             const struct notify_target *to)
{
	ASSERT(to->conn != 0 || to->address.family == 4 || to->address.family == 6);
	struct peer *p = peer_get(n, to);
	struct notice *x = NULL;
	bool was_unreached = false;
	if (p == NULL) {
		n->stats.over_limit++;
		return E_NOMEM;
	}
	err_t err = put_in(n, p, news, to->key, &x, &was_unreached);
	if (err == OK && x != NULL) {
		n->stats.added++;
		if (was_unreached) {
			say(n, x, (struct notifier_report){ .outcome = NOTIFY_UNREACHED });
		}
		if (x->state == NOTICE_IDLE) {
			wait_in_order(n, x);
		}
	} else if (err != OK) {
		n->stats.over_limit++;
		peer_changed(n, p);
	}
	settle(n, now);
	return err;
}

/* ---- time ---- */

static void
expire(struct notifier *n, struct notice *x, const struct notifier_now *now)
{
	struct peer *p = x->peer;
	if (x->state == NOTICE_RESTING) {
		detach(n, x);
		wait_in_order(n, x);
	} else if (x->transport != NOTIFY_OVER_TCP) {
		p->window = NOTIFIER_WINDOW_MIN;
		detach(n, x);
		rest(n, x);
	} else if (p->heard_ns <= x->begun_ns) { /* nothing since this was sent */
		exchange_fail(n, p, true, now);
	} else {
		fall_back(n, x, now);
	}
}

uint64_t
notifier_deadline(const struct notifier *n)
{
	const struct heap_node *timer = heap_first(&n->timers), *stall = heap_first(&n->stalls);
	uint64_t at = timer != NULL ? timer->at : NOTIFIER_NEVER;
	return stall != NULL && stall->at < at ? stall->at : at;
}

void
notifier_timer(struct notifier *n, const struct notifier_now *now)
{
	struct heap_node *first;
	while ((first = heap_first(&n->stalls)) != NULL && first->at <= now->mono_ns) {
		exchange_fail(n, LIST_ENTRY(first, struct peer, stall), true, now);
	}
	while ((first = heap_first(&n->timers)) != NULL && first->at <= now->mono_ns) {
		expire(n, LIST_ENTRY(first, struct notice, timer), now);
	}
	settle(n, now);
}

/* ---- the whole ---- */

struct notifier *
notifier_new(const struct notifier_conf *conf)
{
	struct notifier *n = xalloc(sizeof *n);
	struct trie none;
	n->conf = *conf;
	n->conf.octets_max = conf->octets_max != 0 ? conf->octets_max : NOTIFIER_OCTETS_MAX;
	n->conf.pending_max = conf->pending_max != 0 ? conf->pending_max : NOTIFIER_PENDING_MAX;
	n->conf.in_flight_max = conf->in_flight_max != 0 ? conf->in_flight_max : NOTIFIER_IN_FLIGHT_MAX;
	n->seed = (uint32_t)conf->io.random_id(conf->io.ctx) << 16 | conf->io.random_id(conf->io.ctx);
	trie_init(&none, SIGNER_NAME_AT);
	trie_begin(&n->signers, &none);
	list_init(&n->ready);
	list_init(&n->touched);
	for (unsigned i = 0; i < NOTIFIER_EXCHANGES_MAX; i++) {
		n->free_exchange[i] = (uint16_t)i;
	}
	return n;
}

void
notifier_free(struct notifier **n)
{
	if (*n == NULL) {
		return;
	}
	table_free(*n);
	heap_fini(&(*n)->timers);
	heap_fini(&(*n)->stalls);
	free_ptr(n);
}

const struct notifier_stats *
notifier_stats(const struct notifier *n)
{
	return &n->stats;
}
