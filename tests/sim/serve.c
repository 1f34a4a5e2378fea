/* Requests in: the real answers and transfers; what a NOTIFY says goes to the follower. */
#include <string.h>

#include "auth/transfer.h"
#include "net.h"

static struct peer
peer_of(const struct world *w, unsigned number, enum transport transport)
{
	struct peer p = { .family = 4, .port = 4242, .transport = transport, .idle_100ms = 300, .kept_100ms = UINT16_MAX };
	memcpy(p.address, w->nodes[number].address.octets, 4);
	return p;
}

static void
take_notice(struct sim_node *n, const struct peer *from, const struct server_out *out, const uint8_t *bytes, size_t len)
{
	const struct now now = node_now(n);
	struct follow_notice notice = { .zone = out->zone, .address = peer_key_address(from) };
	if (n->follower == NULL) {
		return;
	}
	if (out->event == EVENT_NOTIFY_ACCEPTED) {
		notice.key = out->key;
	}
	follow_notice_read(&notice, bytes, len);
	n->hourly.notices++;
	follower_notice(n->follower, &now, &notice);
}

static bool
is_notify(const struct server_out *out)
{
	return out->event == EVENT_NOTIFY_ACCEPTED || out->event == EVENT_NOTIFY_UNSIGNED;
}

static size_t
answer(struct sim_node *n, const struct peer *from, const uint8_t *bytes, size_t len, uint8_t out[DNS_MSG_MAX], struct server_out *what)
{
	struct world *w = n->world;
	uint8_t number = (uint8_t)(from->address[3] - 1);
	if (w->quiet.is_deaf && dns_opcode(bytes) == OPCODE_NOTIFY) {
		*what = (struct server_out){ 0 };
		return 0;
	}
	size_t cap = from->transport == TRANSPORT_TCP ? DNS_MSG_MAX : n->conf.udp_max;
	size_t size = server_handle(node_view(n), &n->conf, from, node_now(n).wall_s, bytes, len, out, cap, &n->stats, what);
	if (is_notify(what)) {
		if (dice_hits(&w->dice, w->repeats)) {
			datagram_repeat(n, number, bytes, len);
		}
		take_notice(n, from, what, bytes, len);
	}
	return size;
}

static void
send_transfer(struct sim_node *n, struct conn *c, const struct peer *from, const uint8_t *bytes, size_t len)
{
	static uint8_t wire[DNS_MSG_MAX];
	struct transfer *t;
	bool is_last = false;
	err_t err = transfer_new(node_view(n), &n->conf, from, node_now(n).wall_s, bytes, len, &t);
	ASSERT(err == OK);
	while (!is_last) {
		size_t size = transfer_next(t, node_now(n).wall_s, wire, &is_last);
		ASSERT(size != 0);
		conn_send(n->world, c, 1, wire, size);
	}
	transfer_free(&t);
}

/* As a server does that does not want to keep it. */
static void
close_if_curt(struct sim_node *n, struct conn *c)
{
	if (n->curt != 0 && ++c->answers >= n->curt) {
		conn_close(n->world, c, 1);
		tell_conn_closed(n, c->id);
	}
}

void
serve_conn(struct sim_node *n, struct conn *c, unsigned end, const uint8_t *bytes, size_t len)
{
	static uint8_t out[DNS_MSG_MAX];
	const struct peer from = peer_of(n->world, c->node[1 - end], TRANSPORT_TCP);
	struct server_out what;
	size_t size = answer(n, &from, bytes, len, out, &what);
	if (end == 1 && what.event == EVENT_TRANSFER) {
		send_transfer(n, c, &from, bytes, len);
	} else if (size != 0) {
		conn_send(n->world, c, end, out, size);
	}
	if (end == 1 && what.event == EVENT_SUBSCRIBED) {
		tell_asked(n, c, &from, &what);
	}
	if (end == 1) {
		close_if_curt(n, c);
	}
}

size_t
serve_datagram(struct sim_node *n, unsigned from, const uint8_t *bytes, size_t len, uint8_t out[DNS_MSG_MAX])
{
	const struct peer peer = peer_of(n->world, from, TRANSPORT_UDP);
	struct server_out what;
	return answer(n, &peer, bytes, len, out, &what);
}
