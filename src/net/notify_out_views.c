/* The loader's part: it compares views, and tells targets and subscriptions. */
#include "base/alloc.h"
#include "net/notify_out_p.h"
#include "ops/clock.h"
#include "zone/history.h"

enum { LIMIT_LOOK_MS = 10000 };

void
notify_out_looked(void *notify_out)
{
	const struct notify_out *o = notify_out;
	pulse_beat(o->pulse);
}

void
notify_out_tell(void *notify_out, const struct notify_news *news, const struct notify_target *to)
{
	struct notify_out *o = notify_out;
	err_t err = net_notify_add(o->net, news, to);
	(void)err; /* over a limit: counted there */
	notify_out_looked(o);
}

const struct zone *
notify_out_find_told(const struct notify_out *o, const struct name *zone)
{
	return o->told_view != NULL ? view_zone(o->told_view, zone->oct) : NULL;
}

struct notify_policy
notify_out_policy(const struct notify_out *o)
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
	subscriptions_tell(&o->subscriptions, o->told_view, news, targets, notify_out_tell, o);
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

/* Before the comparison at hand, in which each zone comes once. */
static bool
was_listed(const struct notify_out *o, const uint8_t *zone)
{
	for (size_t i = 0; i < o->put_off_before; i++) {
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
	if (was_listed(o, z->apex_name)) {
		return true;
	}
	if (!try_room(&o->put_off, sizeof *o->put_off, o->put_off_n, &o->put_off_cap)) {
		return false; /* no memory: secondaries are told at once, and again of the next serial */
	}
	name_set(&o->put_off[o->put_off_n++], z->apex_name);
	return true;
}

/* Is there no newer version yet? */
static bool
is_at_old_serial(const struct notify_out *o, const struct name *zone)
{
	const struct zone *z = notify_out_find_told(o, zone);
	return z != NULL && history_is_serial_stuck(z);
}

static bool
is_still_put_off(const struct notify_out *o, const struct name *zone)
{
	return is_at_old_serial(o, zone) && o->is_put_off(o->ctx, notify_out_find_told(o, zone));
}

static void
swap_names(struct name *a, struct name *b)
{
	struct name c = *a;
	*a = *b;
	*b = c;
}

/* Looks at the zones that were put off.  If the newer version has come, secondaries were told of it.  If it will not come, they are told of
 * the present version; of all such zones at once, since transfer keys are sorted for that. */
static void
tell_put_off(struct notify_out *o)
{
	const struct notify_listener to = { .each = notify_out_tell, .zone = tell_subscribers, .looked = notify_out_looked, .ctx = o };
	const struct notify_policy policy = notify_out_policy(o);
	struct notify_left_out left_out;
	size_t kept = 0, told = 0;
	if (o->put_off_n == 0) {
		return;
	}
	for (size_t i = 0; i < o->put_off_n; i++) {
		if (is_still_put_off(o, &o->put_off[i])) {
			swap_names(&o->put_off[kept++], &o->put_off[i]);
		}
	}
	struct name *over = o->put_off + kept;
	for (size_t i = 0; i < o->put_off_n - kept; i++) {
		if (is_at_old_serial(o, &over[i])) {
			over[told++] = over[i];
		}
	}
	o->put_off_n = kept;
	if (told != 0) {
		log_left_out(o, notify_zones(o->told_view, over, told, &policy, &to, &left_out), &left_out);
	}
}

/* ---- what was heard of secondaries ---- */

/* An address has answered, or has not: the subscriptions there are told by their connections what was not heard. */
static void
take_report(struct notify_out *o, const struct secondary_event *e)
{
	const struct zone *z = notify_out_find_told(o, &e->zone);
	const struct notify_news news = z != NULL ? notify_news_of(z) : (struct notify_news){ .zone = e->zone.oct };
	subscriptions_take_report(&o->subscriptions, o->told_view, &news, &e->target.address, e->is_reached, notify_out_tell, o);
}

static void
take_event(struct notify_out *o, const struct secondary_event *e)
{
	switch (e->kind) {
	case SECONDARY_ASKED:
		notify_out_take_question(o, e);
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
		pulse_beat(o->pulse); /* there may be tens of thousands */
	}
	note_subscriptions(o);
}

/* ---- from outside ---- */

/* Says it when notifications were not begun.  The counters are looked at now and then. */
static void
say_over_limit(struct notify_out *o)
{
	uint64_t now_ms = clock_ms();
	struct notifier_stats s;
	if (now_ms - o->looked_ms < LIMIT_LOOK_MS) {
		return;
	}
	o->looked_ms = now_ms;
	net_notify_stats(o->net, &s);
	if (s.over_limit != o->over_limit) {
		report_notify_over_limit(o->log, s.over_limit - o->over_limit, s.pending);
		o->over_limit = s.over_limit;
	}
}

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
	const struct notify_listener to = { .each = notify_out_tell, .zone = tell_subscribers, .looked = notify_out_looked, .ctx = o };
	struct served_pin *before = o->told;
	const struct view *old = o->told_view;
	struct notify_left_out left_out;
	struct notify_policy policy = notify_out_policy(o);
	policy.is_put_off = o->is_put_off != NULL ? puts_off : NULL;
	policy.ctx = o;
	o->told_view = served_pin(o->served, &o->told);
	check_subscriptions(o, old);
	o->put_off_before = o->put_off_n;
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
	notify_out_tell_wished(o);
}

void
notify_out_go_on(struct notify_out *o)
{
	take_events(o);
	tell_put_off(o);
	notify_out_tell_wished(o);
	say_over_limit(o);
}
