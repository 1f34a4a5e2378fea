/* Start and stop, and what workers and the notifier report.  The loader's part is notify_out_views.c and notify_out_asked.c. */
#include <stdlib.h>

#include "base/alloc.h"
#include "net/notify_out_p.h"
#include "net/peer.h"

/* ---- to the loader ---- */

/* False: it is over a limit, or nothing is told any more. */
static bool
put_event(struct notify_out *o, const struct secondary_event *e)
{
	pthread_mutex_lock(&o->lock);
	bool is_put = o->is_on && secondary_queue_put(&o->heard, e) == OK;
	pthread_mutex_unlock(&o->lock);
	if (is_put) {
		o->wake(o->ctx);
	}
	return is_put;
}

/* ---- what the notifier reports ---- */

/* Has the secondary itself answered?  Whoever acknowledges counts for it.  A refusal counts only when it is signed: an unsigned one may
 * come from a router in front of it. */
static bool
is_reached(const struct notifier_report *r)
{
	bool has_answered = r->outcome == NOTIFY_ACKNOWLEDGED || r->outcome == NOTIFY_REFUSED || r->outcome == NOTIFY_PUT_OFF;
	return r->outcome == NOTIFY_ACKNOWLEDGED || (has_answered && r->target->key != NULL);
}

static bool
is_missed(const struct notifier_report *r)
{
	return r->outcome == NOTIFY_UNREACHED || (r->outcome == NOTIFY_REFUSED && r->target->key == NULL);
}

/* To the loader, if a subscription may have that address.  Most reports are about others. */
static void
pass_on(struct notify_out *o, const struct notifier_report *r)
{
	struct secondary_event e = { .kind = SECONDARY_HEARD, .is_reached = is_reached(r) };
	if ((e.is_reached || is_missed(r)) && subscriptions_may_have(&o->subscriptions, &r->target->address)) {
		e.target.address = r->target->address;
		name_set(&e.zone, r->zone);
		(void)put_event(o, &e); /* when it is lost, the secondary learns of the change by its timer */
	}
}

static void
on_report(void *ctx, const struct notifier_report *r)
{
	struct notify_out *o = ctx;
	report_notify_outcome(o->log, r);
	if (o->reported != NULL) {
		o->reported(o->ctx, r);
	}
	if (r->target->conn == 0) {
		pass_on(o, r);
	} else if (r->outcome == NOTIFY_LOST) {
		notify_out_on_closed(o, r->target->conn); /* its worker has said so already, unless the queue was full */
	}
}

static bool
send_over(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len)
{
	struct notify_out *o = ctx;
	pthread_mutex_lock(&o->lock);
	bool is_sent = o->is_on && tcp_worker_send(o->workers[tcp_worker_of(conn)], conn, bytes, len);
	pthread_mutex_unlock(&o->lock);
	return is_sent;
}

/* ---- beginning and end ---- */

void
notify_out_init(struct notify_out *o)
{
	pthread_mutex_init(&o->lock, NULL);
	secondary_queue_init(&o->heard);
}

void
notify_out_fini(struct notify_out *o)
{
	secondary_queue_fini(&o->heard);
	pthread_mutex_destroy(&o->lock);
}

static void
set_on(struct notify_out *o, bool is_on)
{
	pthread_mutex_lock(&o->lock);
	o->is_on = is_on;
	pthread_mutex_unlock(&o->lock);
}

static const struct listen_address *
source_of(const struct notify_out *o, const struct listen_address *given, int family)
{
	return given->len != 0 ? given : own_addresses_source(&o->own, family);
}

err_t
notify_out_start(struct notify_out *o, const struct listen_address *listen, size_t n, struct diag *diag)
{
	o->own.listen = listen;
	o->own.listen_n = n;
	own_addresses_find(&o->own);
	o->is_loopback_only = o->is_loopback_kept && own_addresses_are_loopback(&o->own);
	const struct net_notify_conf conf = {
		.source_v4 = source_of(o, &o->source_v4, AF_INET), .source_v6 = source_of(o, &o->source_v6, AF_INET6),
		.send_over = send_over, .report = on_report, .ctx = o,
	};
	TRY(net_notify_start(&conf, &o->net, diag));
	set_on(o, true);
	return OK;
}

const struct pulse *
notify_out_pulse(const struct notify_out *o)
{
	return net_notify_pulse(o->net);
}

void
notify_out_silence(struct notify_out *o)
{
	set_on(o, false);
}

void
notify_out_stop(struct notify_out *o)
{
	notify_out_silence(o);
	net_notify_stop(&o->net);
	served_unpin(o->served, &o->told);
	subscriptions_fini(&o->subscriptions);
	free(o->put_off);
	o->put_off = NULL;
	o->put_off_n = o->put_off_cap = 0;
}

void
notify_out_log_stats(const struct notify_out *o)
{
	struct notifier_stats s;
	net_notify_stats(o->net, &s);
	report_notify_stats(o->log, &s, atomic_load_explicit(&o->subscriptions_n, memory_order_relaxed),
	                    atomic_load_explicit(&o->not_told, memory_order_relaxed));
}

/* ---- what workers call in ---- */

void
notify_out_turn_away(struct notify_out *o, const struct notify_target *from, const struct name *zone, enum notify_not_told why)
{
	atomic_fetch_add_explicit(&o->not_told, 1, memory_order_relaxed);
	report_notify_not_told(o->log, from, zone, why);
}

/* By TCP the target is the connection; by UDP it is the address that the question came from. */
static struct notify_target
target_of(const struct net_request *r)
{
	const struct peer *p = &r->from->peer;
	return (struct notify_target){
		.conn = r->conn, .port = r->conn != 0 ? p->port : NOTIFY_PORT, .address = peer_key_address(p),
	};
}

/* By TCP it is to be a subscription; a report about its address may come before the loader has that. */
static void
ask(struct notify_out *o, const struct secondary_event *asked)
{
	const struct key_address *at = subscription_address(&asked->secondary, &asked->target);
	bool is_subscription = asked->target.conn != 0;
	if (is_subscription) {
		subscriptions_expect(&o->subscriptions, at);
	}
	if (!put_event(o, asked) && is_subscription) {
		subscriptions_unexpect(&o->subscriptions, at);
	}
}

/* A connection that may not be idle for long is of no use for notifications (net/clients.h). */
static void
say_if_not_kept(struct notify_out *o, const struct net_request *r, const struct name *zone, const struct key *key)
{
	if (r->from->peer.transport == TRANSPORT_TCP && r->conn == 0) {
		struct notify_target from = target_of(r);
		from.port = r->from->peer.port;
		from.key = &key->tsig;
		notify_out_turn_away(o, &from, zone, NOTIFY_NOT_KEPT);
	}
}

void
notify_out_on_secondary(struct notify_out *o, const struct net_request *r, const struct server_out *out)
{
	const struct key *key = keystore_find(r->view->keys, out->key.oct);
	bool is_known_zone = view_zone(r->view, out->zone.oct) != NULL;
	if (o->whom == NOTIFY_WHOM_NONE || key == NULL) {
		return;
	}
	say_if_not_kept(o, r, &out->zone, key);
	if (r->conn == 0 && is_known_zone) { /* no connection, so no subscription */
		return;
	}
	struct tsig_key copy = key->tsig;
	struct secondary_event e = { .kind = SECONDARY_ASKED, .target = target_of(r), .key = &copy, .zone = out->zone };
	if (key->right == RIGHT_TRANSFER) { /* no other key has addresses in its name */
		e.primary = key->primary;
		e.secondary = key->secondary;
	}
	ask(o, &e);
	wipe(&copy, sizeof copy);
}

void
notify_out_on_ahead(struct notify_out *o, const struct net_request *r, const struct server_out *out)
{
	const struct key *key = keystore_find(r->view->keys, out->key.oct);
	if (key == NULL) {
		return;
	}
	struct tsig_key copy = key->tsig;
	struct secondary_event e = { .kind = SECONDARY_AHEAD, .target = target_of(r), .key = &copy, .zone = out->zone,
		                     .serial = out->serial };
	e.target.port = r->from->peer.port;
	(void)put_event(o, &e); /* when it is lost, the secondary asks again */
	wipe(&copy, sizeof copy);
}

void
notify_out_on_response(struct notify_out *o, uint64_t conn, const uint8_t *bytes, size_t len)
{
	pthread_mutex_lock(&o->lock);
	if (o->is_on) {
		net_notify_conn_input(o->net, conn, bytes, len);
	}
	pthread_mutex_unlock(&o->lock);
}

void
notify_out_on_closed(struct notify_out *o, uint64_t conn)
{
	const struct secondary_event e = { .kind = SECONDARY_GONE, .target = { .conn = conn } };
	(void)put_event(o, &e); /* when it is lost, NOTIFY_LOST says it again */
	pthread_mutex_lock(&o->lock);
	if (o->is_on) {
		net_notify_conn_closed(o->net, conn);
	}
	pthread_mutex_unlock(&o->lock);
}
