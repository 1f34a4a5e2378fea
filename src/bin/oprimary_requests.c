/* What workers ask for and pass on: our state, requests that need more than an answer, and ends of transfers and connections. */
#include "bin/oprimary.h"

#include <stdio.h>

#include "base/str.h"
#include "net/report.h"

/* ---- our state ---- */

static bool
is_loader_silent(const struct oprimary *p)
{
	return atomic_load_explicit(&p->is_loader_silent, memory_order_relaxed);
}

static bool
cannot_pull(const void *ctx)
{
	const struct oprimary *p = ctx;
	return !git_side_is_up(&p->git) || is_loader_silent(p);
}

static void
put_trouble(const struct oprimary *p, struct daemon_state *out)
{
	const char *stuck = health_stuck(&p->daemon.health);
	if (stuck != NULL) {
		(void)snprintf(out->trouble, sizeof out->trouble, "the %s thread hangs: see thread-stuck in the log", stuck);
	} else if (!git_side_is_up(&p->git)) {
		str_cut(out->trouble, sizeof out->trouble, "there is no git process just now");
	}
}

static void
read_state(void *ctx, struct daemon_state *out)
{
	struct oprimary *p = ctx;
	primary_state_read(&p->state, out);
	out->pulls = atomic_load_explicit(&p->loader.puller.pulls, memory_order_relaxed);
	out->waiting = inbox_stats(p->inbox).waiting;
	put_trouble(p, out);
}

static size_t
read_secondaries(void *ctx, const uint8_t *zone, struct secondary_row *out)
{
	struct oprimary *p = ctx;
	return primary_state_secondaries(&p->state, zone, out);
}

void
oprimary_fill_server(struct oprimary *p)
{
	struct server_conf *c = &p->opts.daemon.server;
	c->is_deaf = cannot_pull;
	c->deaf_ctx = p;
	c->uses = &p->uses;
	c->state = read_state;
	c->secondaries = read_secondaries;
	c->state_ctx = p;
}

/* ---- updates ---- */

/* There is no place for one more update, so it is answered at once; the answer is signed. */
static size_t
refuse_update(struct oprimary *p, const struct net_request *r, unsigned rcode, const char *why, uint8_t *resp, size_t cap)
{
	struct update_task t;
	update_task_init(&t, r->bytes, r->len, &r->from->peer, r->now_s);
	size_t n = 0;
	if (update_task_open_unread(&t, r->view) == OK) {
		update_task_settle(&t, rcode, EDE_OTHER, "%s", why);
		n = update_task_answer(&t, &p->opts.daemon.server, r->now_s, resp, cap);
	}
	update_task_fini(&t);
	return n;
}

/* Returns the length of an answer; 0: the answer comes later, when the update is in git. */
static size_t
take_update(struct oprimary *p, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap)
{
	if (is_loader_silent(p)) {
		return refuse_update(p, r, RCODE_SERVFAIL, "the thread that takes updates is stuck", resp, cap);
	}
	switch (inbox_put(p->inbox, r->from, &out->key, out->mac, r->now_s, r->bytes, r->len)) {
	case OK:
		return 0;
	case E_EXISTS: /* only the first copy is answered */
		return_path_send(r->from, NULL, 0);
		return 0;
	case E_BUSY:
		return refuse_update(p, r, RCODE_REFUSED, "too many updates of this key wait already", resp, cap);
	default:
		return refuse_update(p, r, RCODE_REFUSED, "too many updates wait already", resp, cap);
	}
}

/* ---- all requests ---- */

static size_t
on_request_event(void *ctx, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap)
{
	struct oprimary *p = ctx;
	if (out->event == EVENT_AHEAD) { /* the loader logs it */
		notify_out_on_ahead(&p->notify, r, out);
		return 0;
	}
	if (out->event == EVENT_NOTIFY_ACCEPTED && !puller_on_notify(&p->loader.puller, out->mac)) {
		return 0;
	}
	report_request(&p->daemon.log, &r->from->peer, out);
	if (out->event == EVENT_SUBSCRIBED) {
		notify_out_on_secondary(&p->notify, r, out);
	}
	return out->event == EVENT_UPDATE ? take_update(p, r, out, resp, cap) : 0;
}

static void
on_response(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len)
{
	struct oprimary *p = ctx;
	notify_out_on_response(&p->notify, conn, bytes, len);
}

static void
on_closed(void *ctx, uint64_t conn)
{
	struct oprimary *p = ctx;
	notify_out_on_closed(&p->notify, conn);
}

static void
on_transferred(void *ctx, const struct net_transferred *t)
{
	struct oprimary *p = ctx;
	report_transfer(&p->daemon.log, t);
	primary_state_on_transferred(&p->state, t);
}

static void
on_evicted(void *ctx, const struct peer *peer, enum seat_rank rank)
{
	struct oprimary *p = ctx;
	report_evicted(&p->daemon.log, peer, rank);
}

struct net_env
oprimary_env(struct oprimary *p)
{
	return (struct net_env){
		.served = p->served,
		.conf = &p->opts.daemon.server,
		.handle = server_handle,
		.event = on_request_event,
		.transferred = on_transferred,
		.evicted = on_evicted,
		.response = on_response,
		.closed = on_closed,
		.ctx = p,
	};
}
