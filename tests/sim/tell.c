/* NOTIFY out: what net/notify_out.h does, without its thread, its queue and its pace. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "net.h"

/* ---- the notifier's callbacks ---- */

static bool
send_udp(void *ctx, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	struct sim_node *n = ctx;
	n->hourly.told++;
	datagram_send(n, to, bytes, len);
	return true;
}

static bool
exchange_send(void *ctx, unsigned exchange, const uint8_t *bytes, size_t len)
{
	struct sim_node *n = ctx;
	n->hourly.told++;
	conn_send(n->world, n->exchanges[exchange], 0, bytes, len);
	return true;
}

static bool
exchange_open(void *ctx, unsigned exchange, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	struct sim_node *n = ctx;
	n->exchanges[exchange] = conn_open(n, to->address.octets[3] - 1u, true, exchange);
	return exchange_send(ctx, exchange, bytes, len);
}

static void
exchange_close(void *ctx, unsigned exchange)
{
	struct sim_node *n = ctx;
	struct conn *c = n->exchanges[exchange];
	n->exchanges[exchange] = NULL;
	conn_close(n->world, c, 0);
}

static bool
send_over(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len)
{
	struct sim_node *n = ctx;
	struct conn *c = conn_find(n->world, conn);
	if (c == NULL || !c->is_open[1]) {
		return false;
	}
	n->hourly.told++;
	conn_send(n->world, c, 1, bytes, len);
	return true;
}

static void
on_report(void *ctx, const struct notifier_report *r)
{
	struct sim_node *n = ctx;
	bool is_reached = r->outcome == NOTIFY_ACKNOWLEDGED || r->outcome == NOTIFY_REFUSED || r->outcome == NOTIFY_PUT_OFF;
	if (r->target->conn != 0 || (!is_reached && r->outcome != NOTIFY_UNREACHED)) {
		return;
	}
	bool has_room = try_room(&n->heard, sizeof *n->heard, n->heard_n, &n->heard_cap);
	ASSERT(has_room);
	struct heard *h = &n->heard[n->heard_n++];
	*h = (struct heard){ .address = r->target->address, .is_reached = is_reached };
	name_set(&h->zone, r->zone);
}

static uint16_t
random_id(void *ctx)
{
	struct sim_node *n = ctx;
	return (uint16_t)dice_u64(&n->world->dice);
}

/* ---- whom to tell ---- */

static void
tell(void *ctx, const struct notify_news *news, const struct notify_target *to)
{
	struct sim_node *n = ctx;
	const struct now now = node_now(n);
	n->hourly.news++;
	if (notifier_add(n->notifier, &now, news, to) != OK) {
		world_break(n->world, "node %u has too many notifications", n->number);
	}
}

static struct notify_policy
policy_of(const struct notify_own *own)
{
	return (struct notify_policy){ .own = own, .own_n = 1, .whom = NOTIFY_WHOM_KEYS };
}

struct telling {
	struct sim_node *node;
	const struct view *next;
};

static void
tell_target(void *ctx, const struct notify_news *news, const struct notify_target *to)
{
	const struct telling *t = ctx;
	tell(t->node, news, to);
}

static void
tell_subscribers(void *ctx, const struct notify_news *news, const struct notify_targets *targets)
{
	const struct telling *t = ctx;
	subscriptions_tell(&t->node->subscriptions, t->next, news, targets, tell, t->node);
}

void
tell_changes(struct sim_node *n, const struct view *next, struct discard **old)
{
	struct telling t = { n, next };
	const struct notify_own own = { n->address, NOTIFY_PORT };
	const struct notify_policy policy = policy_of(&own);
	const struct notify_listener to = { .each = tell_target, .zone = tell_subscribers, .ctx = &t };
	struct notify_left_out left_out;
	err_t err = notify_compare(n->told, next, &policy, &to, &left_out);
	ASSERT(err == OK);
	if (n->told == NULL || n->told->keys != next->keys) {
		subscriptions_drop_disallowed(&n->subscriptions, next);
	}
	n->told = next;
	discard_free(old);
}

static void
tell_all(struct sim_node *n, const struct subscription *s, const struct key *key)
{
	const struct notify_own own = { n->address, NOTIFY_PORT };
	const struct notify_policy policy = policy_of(&own);
	const struct notify_target at = { .address = s->secondary, .port = NOTIFY_PORT, .key = &key->tsig,
		                          .source = notify_source(&policy, &key->primary, &s->secondary) };
	notify_every_zone(n->told, s->zone.oct, s->secondary.family != 0 ? &at : &s->target, tell, n);
}

void
tell_asked(struct sim_node *n, const struct conn *c, const struct peer *from, const struct server_out *out)
{
	const struct key *key = keystore_find(node_view(n)->keys, out->key.oct);
	struct subscription s = { .zone = out->zone, .secondary = key->secondary,
		                  .target = { .conn = c->id, .port = from->port, .address = peer_key_address(from), .key = &key->tsig } };
	err_t err = subscriptions_add(&n->subscriptions, n->told, &s);
	if (err == OK && view_zone(n->told, out->zone.oct) == NULL) {
		tell_all(n, &s, key);
	} else if (err != OK && err != E_EXISTS) {
		world_break(n->world, "node %u has too many subscriptions", n->number);
	}
}

void
tell_conn_closed(struct sim_node *n, uint64_t conn)
{
	const struct now now = node_now(n);
	subscriptions_drop_conn(&n->subscriptions, conn);
	notifier_conn_closed(n->notifier, &now, conn);
}

static void
take_heard(struct sim_node *n, const struct heard *h)
{
	const struct zone *z = view_zone(n->told, h->zone.oct);
	const struct notify_news news = z != NULL ? notify_news_of(z) : (struct notify_news){ .zone = h->zone.oct };
	subscriptions_take_report(&n->subscriptions, n->told, &news, &h->address, h->is_reached, tell, n);
}

void
tell_go_on(struct sim_node *n)
{
	while (n->heard_n != 0) {
		const struct heard h = n->heard[--n->heard_n];
		take_heard(n, &h);
	}
}

/* ---- beginning and end ---- */

void
tell_start(struct sim_node *n)
{
	const struct notifier_conf conf = {
		.io = { send_udp, exchange_open, exchange_send, exchange_close, send_over, on_report, random_id, n },
	};
	n->notifier = notifier_new(&conf);
	n->told = NULL;
}

void
tell_stop(struct sim_node *n)
{
	notifier_free(&n->notifier);
	subscriptions_fini(&n->subscriptions);
	n->subscriptions = (struct subscriptions){ 0 };
	free(n->heard);
	n->heard = NULL;
	n->heard_n = n->heard_cap = 0;
	n->told = NULL;
}
