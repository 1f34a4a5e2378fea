/* Decides which connections stay: sets their ranks (net/seats.h), closes one to make room, and closes those that were idle for too long. */
#include "auth/keepalive.h"
#include "net/tcp_p.h"

enum {
	KEEPALIVE_S = 60,      /* for kept connections: a NAT on the way remembers them, and we notice when the peer has gone */
	CROWDED_IDLE_PART = 4, /* a fourth of the idle time is allowed when three fourths of all places are taken */
};

/* ---- ranks ---- */

static bool
awaits_update(const struct conn *c)
{
	return c->awaited != 0 && uv_now(&c->worker->loop) - c->awaited_ms < TCP_AWAIT_MS;
}

static bool
waits_for_its_turn(const struct conn *c)
{
	return c->stream != NULL && c->stream->transfer == NULL;
}

static bool
is_sent_a_transfer(const struct conn *c)
{
	return c->stream != NULL && c->stream->transfer != NULL;
}

static struct seat_facts
facts_of(const struct conn *c)
{
	return (struct seat_facts){
		.has_asked = c->has_asked,
		.is_kept = c->is_kept,
		.has_update = awaits_update(c),
		.has_unsent = c->unsent != 0,
		.has_transfer = is_sent_a_transfer(c),
		.is_waiting = waits_for_its_turn(c),
		.is_signed = c->stream != NULL && c->stream->key.len != 0,
		.unseen_ms = uv_now(&c->worker->loop) - c->seat.seen_ms,
	};
}

/* If there are too many trusted connections already, this one gets the rank of an unsigned transfer. */
static enum seat_rank
within_trust(struct conn *c, enum seat_rank rank)
{
	struct clients *clients = c->worker->conf.clients;
	bool wants = rank == SEAT_TRUSTED;
	if (wants && !c->is_trusted) {
		c->is_trusted = clients_trust(clients);
	} else if (!wants && c->is_trusted) {
		clients_distrust(clients);
		c->is_trusted = false;
	}
	return wants && !c->is_trusted ? SEAT_SENDING : rank;
}

static void
settle(struct conn *c)
{
	struct clients *clients = c->worker->conf.clients;
	const struct seat_facts facts = facts_of(c);
	enum seat_rank before = c->seat.rank, rank = within_trust(c, seat_rank_of(&facts));
	if (rank != before) {
		clients_leave_rank(clients, before);
		clients_join_rank(clients, rank);
		seats_set_rank(&c->worker->seats, &c->seat, rank);
	}
}

/* True in the usual case: nothing is open, and the peer has asked before, so the rank stays idle. */
static bool
stays_idle(const struct conn *c)
{
	return c->seat.rank == SEAT_IDLE && c->has_asked && c->stream == NULL && c->unsent == 0 && c->awaited == 0 && !c->is_kept;
}

/* Called twice for each message.  Nearly always stays_idle() is true, which is cheap. */
void
conn_settle(struct conn *c)
{
	if (!stays_idle(c)) {
		settle(c);
	}
}

void
conn_sit(struct conn *c)
{
	seats_add(&c->worker->seats, &c->seat, uv_now(&c->worker->loop));
	clients_join_rank(c->worker->conf.clients, c->seat.rank);
}

void
conn_rise(struct conn *c)
{
	struct clients *clients = c->worker->conf.clients;
	seats_remove(&c->worker->seats, &c->seat);
	clients_leave_rank(clients, c->seat.rank);
	if (c->is_trusted) {
		clients_distrust(clients);
	}
}

void
conn_seen(struct conn *c)
{
	seats_seen(&c->worker->seats, &c->seat, uv_now(&c->worker->loop));
	conn_settle(c);
}

void
conn_keep(struct conn *c)
{
	if (!c->is_kept && clients_keep(c->worker->conf.clients)) {
		c->is_kept = true;
		(void)uv_tcp_keepalive(&c->tcp, 1, KEEPALIVE_S);
	}
}

/* ---- what peers are told of it ---- */

void
terms_set(struct tcp_worker *w)
{
	struct clients *clients = w->conf.clients;
	unsigned max = w->conf.max, n = clients_count(clients);
	w->terms = (struct tcp_terms){
		.idle_ms = n > max / 4 * 3 ? w->conf.idle_ms / CROWDED_IDLE_PART : w->conf.idle_ms,
		.is_full = n >= max,
		.may_keep = clients_may_keep(clients),
	};
}

void
conn_set_terms(struct conn *c)
{
	const struct tcp_terms *t = &c->worker->terms;
	uint32_t idle = t->idle_ms / 100 < KEEPALIVE_100MS_MAX ? t->idle_ms / 100 : KEEPALIVE_100MS_MAX;
	uint16_t told = c->is_kept ? KEEPALIVE_100MS_MAX : t->is_full ? 0 : (uint16_t)idle;
	c->peer.idle_100ms = told;
	c->peer.kept_100ms = t->may_keep ? KEEPALIVE_100MS_MAX : told;
}

/* ---- closing one to make room ---- */

static struct conn *
find_victim(const struct tcp_worker *w)
{
	struct seat *p = seats_victim(&w->seats);
	if (p == NULL || p->rank != SEAT_WAITING) {
		return p != NULL ? conn_of_seat(p) : NULL;
	}
	struct conn *c = LIST_ENTRY(turns_one_too_many(&w->turns), struct stream, turn)->conn;
	return c->seat.rank == SEAT_WAITING ? c : conn_of_seat(p);
}

/* If the peer has not taken everything, the connection is reset, so that the rest is dropped. */
static void
put_out(struct conn *c, enum transfer_end how)
{
	bool owes = c->unsent != 0 || is_sent_a_transfer(c);
	if (c->stream != NULL) {
		stream_end(c, how);
	}
	if (owes) {
		conn_abort(c);
	} else {
		conn_close(c);
	}
}

/* True when another worker has a connection of a lower rank.  Connections with nothing open count as equal, so that a new connection need
 * not wait for another worker. */
static bool
is_worth_more(const struct tcp_worker *w, const struct conn *c)
{
	return c->seat.rank > SEAT_IDLE && clients_has_below(w->conf.clients, c->seat.rank);
}

bool
evict_one(struct tcp_worker *w)
{
	const struct net_env *env = w->conf.env;
	struct conn *c = find_victim(w);
	if (c == NULL || is_worth_more(w, c)) {
		return false;
	}
	net_count(&w->stats.evicted, 1);
	if (env->evicted != NULL) {
		env->evicted(env->ctx, &c->peer, c->seat.rank);
	}
	put_out(c, TRANSFER_EVICTED);
	return true;
}

/* ---- time ---- */

/* True when the connection may stay although nothing comes and goes. */
static bool
may_be_idle(const struct conn *c)
{
	return c->unsent == 0 && (c->is_kept || waits_for_its_turn(c) || awaits_update(c));
}

/* Sets the ranks anew of the connections of this rank where nothing was seen for unseen_ms: they may be lower by now. */
static void
settle_unseen(struct tcp_worker *w, enum seat_rank rank, uint64_t now_ms, uint64_t unseen_ms)
{
	const struct list_link *head = &w->seats.of[rank];
	for (struct list_link *l = head->next, *next; l != head; l = next) {
		struct seat *p = LIST_ENTRY(l, struct seat, link);
		next = l->next;
		if (now_ms - p->seen_ms < unseen_ms) {
			return;
		}
		settle(conn_of_seat(p));
	}
}

static void
close_idle(struct tcp_worker *w, enum seat_rank rank, uint64_t now_ms, uint64_t idle_ms)
{
	struct seat *p;
	while ((p = seats_first(&w->seats, rank)) != NULL && now_ms - p->seen_ms >= idle_ms) {
		struct conn *c = conn_of_seat(p);
		if (may_be_idle(c)) {
			conn_seen(c);
		} else {
			net_count(&w->stats.idle_closed, 1);
			put_out(c, TRANSFER_STALLED);
		}
	}
}

void
on_sweep(uv_timer_t *timer)
{
	struct tcp_worker *w = timer->data;
	uint64_t now_ms = uv_now(&w->loop);
	unsigned max = w->conf.max;
	terms_set(w);
	streams_look(w);
	settle_unseen(w, SEAT_IDLE, now_ms, SEATS_NEW_MS);
	settle_unseen(w, SEAT_TAKING, now_ms, SEATS_STALL_MS);
	settle_unseen(w, SEAT_SENDING, now_ms, SEATS_STALL_MS);
	settle_unseen(w, SEAT_TRUSTED, now_ms, SEATS_STALL_MS);
	while (clients_count(w->conf.clients) > max && evict_one(w)) {
	}
	for (enum seat_rank rank = 0; rank < SEAT_RANKS; rank++) {
		close_idle(w, rank, now_ms, rank < SEAT_WAITING ? w->terms.idle_ms : w->conf.idle_ms);
	}
}
