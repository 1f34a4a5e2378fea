/* The loader's part: it compares views, and tells targets and subscriptions. */
#include "net/notify_out.h"

#include "base/alloc.h"
#include "zone/history.h"

static void
tell(void *ctx, const struct notify_news *news, const struct notify_target *to)
{
	struct notify_out *o = ctx;
	err_t err = net_notify_add(o->net, news, to);
	(void)err; /* over a limit: counted there */
}

static const struct zone *
find_told(const struct notify_out *o, const struct name *zone)
{
	return o->told_view != NULL ? view_zone(o->told_view, zone->oct) : NULL;
}

static struct notify_policy
policy_of(const struct notify_out *o)
{
	return (struct notify_policy){
		.own = o->own.list, .own_n = o->own.n, .whom = o->whom, .is_loopback_only = o->is_loopback_only,
	};
}

/* A zone that came, changed or went: to the subscriptions whose address is none of its targets. */
static void
tell_subscribers(void *ctx, const struct notify_news *news, const struct notify_targets *targets)
{
	struct notify_out *o = ctx;
	subscriptions_tell(&o->subscriptions, o->told_view, news, targets, tell, o);
}

static void
log_left_out(struct notify_out *o, err_t err, const struct notify_left_out *left_out)
{
	if (err != OK || left_out->cut_n != 0) {
		report_notify_incomplete(o->log, err, left_out);
	}
	if (left_out->passed_n != 0 && !o->has_said_passed) {
		report_notify_passed_over(o->log, left_out);
		o->has_said_passed = true;
	}
	if (left_out->unknown_n != 0 && !o->has_said_unknown) {
		report_notify_unknown_host(o->log, left_out);
		o->has_said_unknown = true;
	}
}

/* ---- versions that are put off, as another one follows at once ---- */

static bool
is_listed(const struct notify_out *o, const uint8_t *zone)
{
	for (size_t i = 0; i < o->put_off_n; i++) {
		if (name_is_equal(o->put_off[i].oct, zone)) {
			return true;
		}
	}
	return false;
}

/* Secondaries do not take a version whose serial is not newer, so they are told of the one that follows it. */
static bool
puts_off(void *ctx, const struct zone *z)
{
	struct notify_out *o = ctx;
	if (!o->is_put_off(o->ctx, z)) {
		return false;
	}
	if (is_listed(o, z->apex_name)) {
		return true;
	}
	if (!try_room(&o->put_off, sizeof *o->put_off, o->put_off_n, &o->put_off_cap)) {
		return false; /* no memory: secondaries are told at once, and again of the next serial */
	}
	name_set(&o->put_off[o->put_off_n++], z->apex_name);
	return true;
}

static void
tell_zone(struct notify_out *o, const struct zone *z)
{
	const struct notify_listener to = { .each = tell, .zone = tell_subscribers, .ctx = o };
	const struct notify_policy policy = policy_of(o);
	struct notify_left_out left_out;
	log_left_out(o, notify_one_zone(o->told_view, z, &policy, &to, &left_out), &left_out);
}

/* Either the version that was to follow is there, and secondaries were told of it; or it will not come, and they are told of the version
 * that there is. */
static void
tell_put_off(struct notify_out *o)
{
	for (size_t i = o->put_off_n; i-- != 0;) {
		const struct zone *z = find_told(o, &o->put_off[i]);
		bool is_there = z != NULL && history_is_serial_stuck(z);
		if (is_there && o->is_put_off(o->ctx, z)) {
			continue;
		}
		o->put_off[i] = o->put_off[--o->put_off_n];
		if (is_there) {
			tell_zone(o, z);
		}
	}
}

/* ---- what was heard of secondaries ---- */

/* Who asked for a name that is no zone is told of all zones within it: at the address in its key's name, if that is told, else by the way
 * by which it asked. */
static void
tell_all(struct notify_out *o, const struct subscription *s, const struct key_address *source)
{
	struct notify_target to = s->target;
	if (o->told_view == NULL || find_told(o, &s->zone) != NULL) {
		return;
	}
	if (to.conn != 0 && s->secondary.family != 0) {
		to.conn = 0;
		to.address = s->secondary;
		to.source = *source;
		to.port = NOTIFY_PORT; /* where no SRV record gives another */
	}
	if (to.conn != 0 || !o->is_loopback_only || notify_is_loopback(&to.address)) {
		notify_every_zone(o->told_view, s->zone.oct, &to, tell, o);
	}
}

/* False: it is a subscription already, or cannot be one. */
static bool
subscribe(struct notify_out *o, const struct subscription *new)
{
	err_t err = subscriptions_add(&o->subscriptions, o->told_view, new);
	if (err != OK && err != E_EXISTS) {
		notify_out_turn_away(o, &new->target, &new->zone,
		                     err == E_BUSY ? NOTIFY_SHARE_TAKEN : err == E_LIMIT ? NOTIFY_PLACES_TAKEN : NOTIFY_NO_MEMORY);
	}
	return err == OK;
}

/* By TCP, it is a subscription from now on. */
static void
take_question(struct notify_out *o, const struct secondary_event *e)
{
	const struct notify_policy policy = policy_of(o);
	struct subscription new = { .target = e->target, .zone = e->zone };
	struct key_address source = { .family = 0 };
	if (notify_is_allowed(&policy, &e->secondary, 0, true)) {
		new.secondary = e->secondary;
		source = notify_source(&policy, &e->primary, &e->secondary);
	}
	if (new.target.conn == 0 || subscribe(o, &new)) {
		tell_all(o, &new, &source);
	}
	/* The list counts it now, so subscribe() need not any more: */
	subscriptions_unexpect(&o->subscriptions, subscription_address(&e->secondary, &e->target));
}

/* An address has answered, or has not: the subscriptions there are told by their connections what was not heard. */
static void
take_report(struct notify_out *o, const struct secondary_event *e)
{
	const struct zone *z = find_told(o, &e->zone);
	const struct notify_news news = z != NULL ? notify_news_of(z) : (struct notify_news){ .zone = e->zone.oct };
	subscriptions_take_report(&o->subscriptions, o->told_view, &news, &e->target.address, e->is_reached, tell, o);
}

static void
take_event(struct notify_out *o, const struct secondary_event *e)
{
	switch (e->kind) {
	case SECONDARY_ASKED:
		take_question(o, e);
		break;
	case SECONDARY_GONE:
		subscriptions_drop_conn(&o->subscriptions, e->target.conn);
		break;
	case SECONDARY_HEARD:
		take_report(o, e);
		break;
	case SECONDARY_AHEAD:
		o->ahead(o->ctx, e);
		break;
	}
}

/* For the counters, which any thread reads. */
static void
note_subscriptions(struct notify_out *o)
{
	atomic_store_explicit(&o->subscriptions_n, o->subscriptions.n, memory_order_relaxed);
}

static void
take_events(struct notify_out *o)
{
	for (struct secondary_event *e = secondary_queue_take(&o->heard), *next; e != NULL; e = next) {
		next = e->next;
		take_event(o, e);
		secondary_event_free(&e);
	}
	note_subscriptions(o);
}

/* ---- from outside ---- */

/* Rights are the same as long as keys and files of secondaries are. */
static void
check_subscriptions(struct notify_out *o, const struct view *old)
{
	const struct view *now = o->told_view;
	bool is_same = old != NULL && old->keys == now->keys && old->secondaries == now->secondaries;
	if (!is_same || !o->subscriptions.is_checked) {
		subscriptions_drop_disallowed(&o->subscriptions, now);
		note_subscriptions(o);
	}
}

/* What differs between the view that was told last and the one that is served now. */
static void
tell_changes(struct notify_out *o)
{
	const struct notify_listener to = { .each = tell, .zone = tell_subscribers, .ctx = o };
	struct served_pin *before = o->told;
	const struct view *old = o->told_view;
	struct notify_left_out left_out;
	struct notify_policy policy = policy_of(o);
	policy.is_put_off = puts_off;
	policy.ctx = o;
	o->told_view = served_pin(o->served, &o->told);
	check_subscriptions(o, old);
	err_t err = notify_compare(old, o->told_view, &policy, &to, &left_out);
	served_unpin(o->served, &before);
	log_left_out(o, err, &left_out);
}

void
notify_out_on_changed(struct notify_out *o)
{
	own_addresses_find(&o->own);
	take_events(o);
	tell_changes(o);
	tell_put_off(o);
}

void
notify_out_go_on(struct notify_out *o)
{
	take_events(o);
	tell_put_off(o);
}
