/* Decides what is sent, when, and over which transport. */
#include "auth/notifier_p.h"

enum { STALL_S = 3 }; /* an exchange without an answer for this long is dead */

struct notice *
notice_in_flight(const struct list_link *list, uint16_t id)
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
	while (notice_in_flight(&p->on_exchange, id) != NULL || notice_in_flight(&p->in_air, id) != NULL) {
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

void
peer_drop_exchange(struct notifier *n, struct peer *p)
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
	peer_drop_exchange(n, p);
}

void
peer_note_alive(struct notifier *n, struct peer *p, enum notify_transport t, uint64_t now_ns)
{
	if (t == NOTIFY_OVER_TCP) {
		p->has_answered = true;
		p->heard_ns = now_ns;
		heap_set(&n->stalls, &p->stall, now_ns + STALL_S * SECOND_NS);
	}
}

void
peer_note_heard(struct notifier *n, struct peer *p, enum notify_transport t, uint64_t now_ns)
{
	p->window += p->window < NOTIFIER_WINDOW_MAX;
	peer_note_alive(n, p, t, now_ns);
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

/* Sends the message of an IDLE notice, which is IN_FLIGHT then.  False: the message could not be sent, and the notice is still IDLE. */
static bool
transmit(struct notifier *n, struct notice *x, enum notify_transport t, const struct now *now)
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
	notice_take_off(n, x, now->mono_ns);
	return true;
}

static void
transmit_udp(struct notifier *n, struct notice *x, const struct now *now)
{
	if (!transmit(n, x, NOTIFY_OVER_UDP, now)) {
		notice_rest(n, x);
	}
}

/* If TCP brought an answer that was not signed well, UDP would bring the same, and there may be no place for it in the window. */
void
notice_fall_back(struct notifier *n, struct notice *x, const struct now *now)
{
	bool was_doubted = x->is_doubted;
	notice_detach(n, x);
	if (was_doubted) {
		notice_rest(n, x);
	} else {
		transmit_udp(n, x, now);
	}
}

void
peer_tcp_failed(struct notifier *n, struct peer *p, bool is_dead, const struct now *now)
{
	while (!list_is_empty(&p->on_exchange)) {
		notice_fall_back(n, notice_of(p->on_exchange.next), now);
	}
	if (is_dead) {
		for (size_t q = 0; q < NOTICE_QUEUES; q++) {
			list_append_all(&p->waiting_udp[q], &p->waiting[q]);
		}
	}
	peer_changed(n, p);
}

void
peer_fail_exchange(struct notifier *n, struct peer *p, bool is_dead, const struct now *now)
{
	exchange_close(n, p);
	peer_tcp_failed(n, p, is_dead, now);
}

static void
transmit_tcp(struct notifier *n, struct notice *x, const struct now *now)
{
	struct peer *p = x->peer;
	if (transmit(n, x, NOTIFY_OVER_TCP, now)) {
		return;
	}
	if (p->exchange == NO_EXCHANGE) {
		peer_tcp_failed(n, p, true, now);
	} else {
		peer_fail_exchange(n, p, !p->has_answered, now);
	}
	transmit_udp(n, x, now);
}

void
peer_lose_conn(struct notifier *n, const struct peer *p)
{
	struct notice *x;
	while ((x = trie_first(&p->notices.now)) != NULL) {
		notice_finish(n, x, (struct notifier_report){ .outcome = NOTIFY_LOST });
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

void
notice_send(struct notifier *n, struct notice *x, enum notify_transport t, const struct now *now)
{
	x->begun_ns = now->mono_ns;
	x->tried++;
	if (t == NOTIFY_OVER_TCP) {
		transmit_tcp(n, x, now);
	} else if (t == NOTIFY_OVER_UDP) {
		transmit_udp(n, x, now);
	} else if (!transmit(n, x, t, now)) {
		peer_lose_conn(n, x->peer);
	}
}

/* Begins the next attempt of the waiting notice whose turn it is. */
static void
launch(struct notifier *n, struct peer *p, const struct now *now)
{
	bool has_tcp = !is_any_in(p->waiting_udp);
	struct notice *x = whose_turn(p, has_tcp ? p->waiting : p->waiting_udp);
	notice_detach(n, x);
	x->turn = x->next_turn;
	x->tried = 0;
	x->attempts++;
	notice_send(n, x, p->at.conn != 0 ? NOTIFY_OVER_CONN : has_tcp ? NOTIFY_OVER_TCP : NOTIFY_OVER_UDP, now);
}

void
notifier_settle(struct notifier *n, const struct now *now)
{
	while (n->stats.in_flight - n->stats.doubted < n->conf.in_flight_max && !list_is_empty(&n->ready)) {
		struct peer *p = LIST_ENTRY(n->ready.next, struct peer, ready);
		list_remove(&p->ready); /* peer_changed() puts it at the end of the queue if it may send more */
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
