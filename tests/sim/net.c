#include "net.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/msg.h"

enum { PACKETS_MAX = 100000, REFUSED_MS = 50, UNREACHABLE_MIN_S = 20, UNREACHABLE_MAX_S = 120, LOST_MIN_S = 60, LOST_MAX_S = 180 };

enum packet_kind { PACKET_MESSAGE, PACKET_END, PACKET_REQUEST, PACKET_REPEAT, PACKET_RESPONSE, PACKET_QUESTION, PACKET_ANSWER };

struct packet {
	struct heap_node timer;
	enum packet_kind kind;
	struct conn *conn;            /* MESSAGE, END: to its end */
	unsigned end;
	unsigned from, to;            /* datagrams */
	struct notify_target target;  /* REQUEST, RESPONSE: as the sender of the request has it, without the key */
	unsigned slot, no;            /* QUESTION, ANSWER */
	size_t len;
	uint8_t bytes[];
};

static bool
is_apart(const struct world *w, unsigned a, unsigned b)
{
	return w->apart[a][b] != 0;
}

static uint64_t
delay_ns(struct world *w)
{
	return dice_between(&w->dice, MS / 2, 40 * MS) + (w->slow_ms != 0 ? dice_below(&w->dice, w->slow_ms) * MS : 0);
}

/* ---- packets ---- */

static struct packet *
packet_new(enum packet_kind kind, const uint8_t *bytes, size_t len)
{
	struct packet *p = xalloc(sizeof *p + len);
	p->kind = kind;
	p->len = len;
	if (len != 0) {
		memcpy(p->bytes, bytes, len);
	}
	return p;
}

static void
packet_put(struct world *w, struct packet *p, uint64_t at_ns)
{
	err_t err = heap_reserve(&w->packets, w->packets.n + 1);
	ASSERT(err == OK);
	heap_set(&w->packets, &p->timer, at_ns);
	if (w->packets.n > PACKETS_MAX) {
		world_break(w, "there are more than %d packets on their way", PACKETS_MAX);
	}
}

static void
garble(struct world *w, struct packet *p)
{
	if (dice_hits(&w->dice, w->garble)) {
		p->bytes[dice_below(&w->dice, p->len)] ^= (uint8_t)dice_between(&w->dice, 1, UINT8_MAX);
	}
}

/* ---- connections ---- */

static void
forget_if_over(struct conn *c)
{
	if (!c->is_open[0] && !c->is_open[1] && c->packets == 0) {
		list_remove(&c->link);
		free(c);
	}
}

static void
put_to_end(struct world *w, struct conn *c, unsigned end, struct packet *p, uint64_t at_ns)
{
	p->conn = c;
	p->end = end;
	c->packets++;
	c->last_ns[end] = at_ns > c->last_ns[end] ? at_ns : c->last_ns[end] + 1;
	packet_put(w, p, c->last_ns[end]);
}

static void
put_end(struct world *w, struct conn *c, unsigned end, uint64_t after_ns)
{
	put_to_end(w, c, end, packet_new(PACKET_END, NULL, 0), w->now_ns + after_ns);
}

static uint64_t
seconds_between(struct world *w, unsigned least, unsigned most)
{
	return dice_between(&w->dice, least * SECOND, most * SECOND);
}

/* Both ends find out by and by. */
static void
doom(struct world *w, struct conn *c, bool is_slow)
{
	if (c->is_doomed) {
		return;
	}
	c->is_doomed = true;
	for (unsigned end = 0; end < 2; end++) {
		if (c->is_open[end]) {
			put_end(w, c, end, is_slow ? seconds_between(w, UNREACHABLE_MIN_S, UNREACHABLE_MAX_S) : delay_ns(w));
		}
	}
}

struct conn *
conn_open(struct sim_node *from, unsigned to, bool is_exchange, unsigned number)
{
	struct world *w = from->world;
	struct conn *c = xalloc(sizeof *c);
	bool is_refused = !w->nodes[to].is_up || w->plan->is_hidden[to] || dice_hits(&w->dice, w->refusals);
	*c = (struct conn){ .id = ++w->conns_n, .node = { from->number, to }, .is_exchange = is_exchange, .number = number };
	list_append(&w->conns, &c->link);
	c->is_open[0] = true;
	c->is_open[1] = !is_apart(w, from->number, to) && !is_refused;
	if (!c->is_open[1]) {
		doom(w, c, !is_refused);
	}
	world_log(w, "node %u connects to %u%s", from->number, to, c->is_open[1] ? "" : ", in vain");
	return c;
}

void
conn_send(struct world *w, struct conn *c, unsigned end, const uint8_t *bytes, size_t len)
{
	w->messages++;
	if (!c->is_open[1 - end] && !c->is_doomed) {
		return;
	}
	if (is_apart(w, c->node[0], c->node[1])) {
		doom(w, c, true);
	} else if (dice_hits(&w->dice, w->cuts)) {
		doom(w, c, false);
	}
	if (!c->is_doomed) {
		struct packet *p = packet_new(PACKET_MESSAGE, bytes, len);
		garble(w, p);
		put_to_end(w, c, 1 - end, p, w->now_ns + delay_ns(w));
	}
}

void
conn_close(struct world *w, struct conn *c, unsigned end)
{
	c->is_open[end] = false;
	if (c->is_open[1 - end] && !c->is_doomed) {
		bool is_lost = is_apart(w, c->node[0], c->node[1]);
		put_end(w, c, 1 - end, is_lost ? seconds_between(w, LOST_MIN_S, LOST_MAX_S) : delay_ns(w));
	}
	forget_if_over(c);
}

struct conn *
conn_find(struct world *w, uint64_t id)
{
	for (struct list_link *i = w->conns.next; i != &w->conns; i = i->next) {
		struct conn *c = LIST_ENTRY(i, struct conn, link);
		if (c->id == id) {
			return c;
		}
	}
	return NULL;
}

void
conn_drop_all(struct sim_node *n)
{
	for (struct list_link *i = n->world->conns.next, *next; i != &n->world->conns; i = next) {
		struct conn *c = LIST_ENTRY(i, struct conn, link);
		next = i->next;
		for (unsigned end = 0; end < 2; end++) {
			if (c->node[end] == n->number && c->is_open[end]) {
				conn_close(n->world, c, end);
				break; /* no node is connected to itself */
			}
		}
	}
}

void
net_close_idle(struct world *w)
{
	for (struct list_link *i = w->conns.next, *next; i != &w->conns; i = next) {
		struct conn *c = LIST_ENTRY(i, struct conn, link);
		bool is_kept = w->plan->is_hidden[c->node[0]];
		next = i->next;
		if (c->is_open[1] && c->packets == 0 && !c->is_exchange && !is_kept && dice_hits(&w->dice, 300)) {
			tell_conn_closed(&w->nodes[c->node[1]], c->id);
			conn_close(w, c, 1);
		}
	}
}

/* ---- datagrams ---- */

static void
put_datagram(struct world *w, struct packet *p, uint64_t after_ns)
{
	w->messages++;
	if (is_apart(w, p->from, p->to) || dice_hits(&w->dice, w->loss)) {
		free(p);
		return;
	}
	garble(w, p);
	packet_put(w, p, w->now_ns + after_ns);
}

void
datagram_send(struct sim_node *from, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	struct packet *p = packet_new(PACKET_REQUEST, bytes, len);
	p->from = from->number;
	p->to = to->address.octets[3] - 1u;
	p->target = *to;
	p->target.key = NULL;
	put_datagram(from->world, p, delay_ns(from->world));
}

void
datagram_repeat(struct sim_node *to, unsigned from, const uint8_t *bytes, size_t len)
{
	struct world *w = to->world;
	struct packet *p = packet_new(PACKET_REPEAT, bytes, len);
	p->from = from;
	p->to = to->number;
	put_datagram(w, p, dice_between(&w->dice, MS, dice_hits(&w->dice, 50) ? HOUR : dice_hits(&w->dice, 100) ? 20 * SECOND : SECOND / 2));
}

void
question_send(struct sim_node *from, unsigned slot, unsigned to, const uint8_t *bytes, size_t len)
{
	struct packet *p = packet_new(PACKET_QUESTION, bytes, len);
	struct question *q = &from->questions[slot];
	q->no += !q->is_open;
	q->is_open = true;
	p->from = from->number;
	p->to = to;
	p->slot = slot;
	p->no = q->no;
	from->world->questions++;
	put_datagram(from->world, p, delay_ns(from->world));
}

static void
take_answer(struct sim_node *n, const struct packet *p)
{
	const struct now now = node_now(n);
	if (n->questions[p->slot].is_open && n->questions[p->slot].no == p->no) {
		follower_datagram(n->follower, &now, p->slot, p->bytes, p->len);
	}
}

static void
take_datagram(struct world *w, struct packet *p)
{
	static uint8_t answer[DNS_MSG_MAX];
	struct sim_node *to = &w->nodes[p->to];
	if (!to->is_up || to->silent != 0) {
		return;
	}
	if (p->kind == PACKET_RESPONSE) {
		const struct now now = node_now(to);
		notifier_datagram(to->notifier, &now, &p->target, p->bytes, p->len);
		return;
	}
	if (p->kind == PACKET_ANSWER) {
		take_answer(to, p);
		return;
	}
	size_t n = w->plan->is_hidden[p->to] ? 0 : serve_datagram(to, p->from, p->bytes, p->len, answer);
	if (n != 0 && p->kind != PACKET_REPEAT) {
		struct packet *back = packet_new(p->kind == PACKET_QUESTION ? PACKET_ANSWER : PACKET_RESPONSE, answer, n);
		back->from = p->to;
		back->to = p->from;
		back->target = p->target;
		back->slot = p->slot;
		back->no = p->no;
		put_datagram(w, back, delay_ns(w));
	}
}

/* ---- arrival ---- */

static void
take_message(struct sim_node *n, struct conn *c, unsigned end, const uint8_t *bytes, size_t len)
{
	const struct now now = node_now(n);
	bool is_response = (bytes[2] & DNS_QR >> 8) != 0;
	if (n->silent != 0) {
		return;
	}
	if (!is_response) {
		serve_conn(n, c, end, bytes, len);
	} else if (end == 1) {
		notifier_conn_input(n->notifier, &now, c->id, bytes, len);
	} else if (c->is_exchange) {
		notifier_exchange_input(n->notifier, &now, c->number, bytes, len);
	} else {
		follower_input(n->follower, &now, c->number, bytes, len);
	}
}

/* The connection itself is there as long as the packet is. */
static void
take_end(struct sim_node *n, struct conn *c, unsigned end)
{
	const struct now now = node_now(n);
	conn_close(n->world, c, end);
	if (end == 1) {
		tell_conn_closed(n, c->id);
	} else if (c->is_exchange) {
		n->exchanges[c->number] = NULL;
		notifier_exchange_closed(n->notifier, &now, c->number);
	} else {
		n->links[c->number] = NULL;
		follower_closed(n->follower, &now, c->number, "refused, or closed");
	}
}

static void
arrive(struct world *w, struct packet *p)
{
	struct conn *c = p->conn;
	struct sim_node *n = &w->nodes[c->node[p->end]];
	bool is_open = c->is_open[p->end];
	if (is_open && p->kind == PACKET_MESSAGE) {
		take_message(n, c, p->end, p->bytes, p->len);
	} else if (is_open) {
		take_end(n, c, p->end);
	}
	c->packets--;
	forget_if_over(c);
}

uint64_t
net_next(const struct world *w)
{
	const struct heap_node *first = heap_first(&w->packets);
	return first != NULL ? first->at : NOW_NEVER;
}

void
net_deliver(struct world *w)
{
	struct packet *p = LIST_ENTRY(heap_first(&w->packets), struct packet, timer);
	heap_remove(&w->packets, &p->timer);
	if (p->conn != NULL) {
		arrive(w, p);
	} else {
		take_datagram(w, p);
	}
	free(p);
}

void
net_fini(struct world *w)
{
	for (struct heap_node *first; (first = heap_first(&w->packets)) != NULL;) {
		struct packet *p = LIST_ENTRY(first, struct packet, timer);
		heap_remove(&w->packets, first);
		free(p);
	}
	heap_fini(&w->packets);
	while (!list_is_empty(&w->conns)) {
		struct conn *c = LIST_ENTRY(w->conns.next, struct conn, link);
		list_remove(&c->link);
		free(c);
	}
}
