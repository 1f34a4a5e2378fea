/* What the follower brings becomes views that are served; what peers say goes to the follower. */
#include "bin/osecondary.h"

#include "dns/wire.h"
#include "net/peer.h"
#include "net/report.h"
#include "net/report_follow.h"

/* ---- views ---- */

void
secondary_tell(void *osecondary)
{
	struct osecondary *s = osecondary;
	daemon_tell_transferred(&s->daemon, view_zones_n(secondary_view(s->views.secondary)));
}

/* ---- what peers say ---- */

static void
take_notice(struct osecondary *s, const struct follow_notice *n)
{
	pthread_mutex_lock(&s->lock);
	if (s->follow != NULL) {
		net_follow_notice(s->follow, n);
	}
	pthread_mutex_unlock(&s->lock);
}

static void
take_event(struct osecondary *s, const struct peer *from, const struct server_out *out, const uint8_t *bytes, size_t len)
{
	struct follow_notice notice;
	if (out->event != EVENT_AHEAD) { /* a secondary of ours may hear of a version before us */
		report_request(&s->daemon.log, from, out);
	}
	if (net_follow_notice_of(from, out, bytes, len, &notice)) {
		take_notice(s, &notice);
	}
}

static size_t
on_request_event(void *ctx, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap)
{
	struct osecondary *s = ctx;
	take_event(s, &r->from->peer, out, r->bytes, r->len);
	if (out->event == EVENT_SUBSCRIBED) {
		notify_out_on_secondary(&s->notify, r, out);
	}
	return out->event == EVENT_FORWARD ? net_forward_take(s->forward, r, out, resp, cap) : 0;
}

/* A request over a link of ours: the primary's NOTIFY.  Nothing else is answered there. */
static size_t
on_link_request(void *ctx, const struct peer *from, const uint8_t *bytes, size_t len, uint8_t *resp, size_t cap)
{
	struct osecondary *s = ctx;
	struct server_out out;
	if (dns_opcode(bytes) != OPCODE_NOTIFY) {
		return 0;
	}
	const struct view *v = secondary_view(s->views.secondary);
	size_t n = server_handle(v, &s->opts.daemon.server, from, net_wall_s(), bytes, len, resp, cap, &s->daemon.beside.server, &out);
	if (out.event != EVENT_NONE) {
		take_event(s, from, &out, bytes, len);
	}
	return n;
}

static void
on_response(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len)
{
	struct osecondary *s = ctx;
	notify_out_on_response(&s->notify, conn, bytes, len);
}

static void
on_closed(void *ctx, uint64_t conn)
{
	struct osecondary *s = ctx;
	notify_out_on_closed(&s->notify, conn);
}

static void
on_transferred(void *ctx, const struct net_transferred *t)
{
	const struct osecondary *s = ctx;
	report_transfer(&s->daemon.log, t);
}

static void
on_evicted(void *ctx, const struct peer *peer, enum seat_rank rank)
{
	const struct osecondary *s = ctx;
	report_evicted(&s->daemon.log, peer, rank);
}

struct net_env
secondary_env(struct osecondary *s)
{
	return (struct net_env){
		.served = s->views.served, .conf = &s->opts.daemon.server, .handle = server_handle, .event = on_request_event,
		.transferred = on_transferred, .evicted = on_evicted, .response = on_response, .closed = on_closed, .ctx = s,
	};
}

/* ---- the following thread ---- */

static const struct view *
view(void *ctx)
{
	const struct osecondary *s = ctx;
	return secondary_view(s->views.secondary);
}

void
secondary_forward_up(struct osecondary *s)
{
	const struct server_conf *server = &s->opts.daemon.server;
	if (server->forwards_updates) {
		s->forward = net_forward_new(&(struct net_forward_conf){ .server = server, .log = &s->daemon.log, .view = view, .ctx = s });
	}
}

static void
on_woken(void *ctx)
{
	struct osecondary *s = ctx;
	served_reclaim(s->views.served);
	notify_out_go_on(&s->notify);
	pthread_mutex_lock(&s->lock);
	struct net_follow *follow = s->follow;
	pthread_mutex_unlock(&s->lock);
	if (follow != NULL && atomic_exchange(&s->is_state_wanted, false)) { /* it is there as long as its thread, which this is */
		const struct now now = net_now();
		report_follow_states(&s->daemon.log, net_follow_machine(follow), &now);
	}
	if (follow != NULL) {
		secondary_survey_serve(s, follow);
	}
}

void
secondary_wake(void *osecondary)
{
	struct osecondary *s = osecondary;
	pthread_mutex_lock(&s->lock);
	if (s->follow != NULL) {
		net_follow_wake(s->follow);
	}
	pthread_mutex_unlock(&s->lock);
}

struct net_follow_conf
secondary_follow_conf(struct osecondary *s)
{
	const struct secondary_opts *o = &s->opts;
	const struct own_addresses own = { .listen = s->daemon.front.conf.listen, .listen_n = s->daemon.front.conf.listen_n };
	struct net_follow_conf conf = {
		.machine = { .bounds = o->bounds, .transfers_max = o->transfers_max, .records_max = o->records_max,
		             .zone_octets_max = o->zone_octets_max },
		.sources = o->sources, .sources_n = o->sources_n, .catalogs = o->catalogs.list, .catalogs_n = o->catalogs.n,
		.from_v4 = own_addresses_source(&own, AF_INET), .from_v6 = own_addresses_source(&own, AF_INET6),
		.request = on_link_request, .woken = on_woken, .guest = net_forward_guest(s->forward), .ctx = s,
	};
	follow_views_serve(&s->views, &conf.machine);
	return conf;
}
