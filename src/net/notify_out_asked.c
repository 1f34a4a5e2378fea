/* The loader's part: secondaries that have asked for a zone, or for a domain with all its zones. */
#include "net/notify_out_p.h"
#include "ops/clock.h"

/* ---- a question ---- */

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

/* The address in its key's name goes before its connection.  A datagram's source proves nothing: an address that came with one is told
 * only of zones whose target it is. */
static enum tell_way
way_of(const struct subscription *s)
{
	return s->secondary.family != 0 ? TELL_AT_ADDRESS : s->target.conn != 0 ? TELL_BY_CONNECTION : TELL_AS_TARGET;
}

/* Who asks for a name that is no zone wants to hear of all zones within it, if there are any. */
static bool
is_for_all(const struct notify_out *o, const struct name *zone)
{
	return o->told_view != NULL && notify_out_find_told(o, zone) == NULL && notify_has_zone(o->told_view, zone->oct);
}

static void
want_all(struct notify_out *o, const struct subscription *s)
{
	struct tell_wish wish = {
		.domain = s->zone, .address = *subscription_address(&s->secondary, &s->target), .way = way_of(s),
	};
	name_set(&wish.key, s->target.key->name.oct);
	if (tell_pace_want(&o->pace, &wish, clock_ms()) != OK) {
		notify_out_turn_away(o, &s->target, &s->zone, NOTIFY_CROWDED);
	}
}

/* By TCP, it is a subscription from now on. */
void
notify_out_take_question(struct notify_out *o, const struct secondary_event *e)
{
	const struct notify_policy policy = notify_out_policy(o);
	struct subscription new = { .target = e->target, .zone = e->zone };
	if (notify_is_allowed(&policy, &e->secondary, 0, true)) {
		new.secondary = e->secondary;
	}
	bool wants_all = is_for_all(o, &new.zone);
	new.is_awaited = wants_all && way_of(&new) == TELL_BY_CONNECTION;
	bool is_new = new.target.conn == 0 || subscribe(o, &new);
	if (is_new && wants_all) {
		want_all(o, &new);
	}
	if (new.target.conn != 0) { /* the list counts it now, so ask() in notify_out.c need not any more */
		subscriptions_unexpect(&o->subscriptions, subscription_address(&e->secondary, &e->target));
	}
}

/* ---- a wish ---- */

/* At the address in the key's name, if it is still there and may be told. */
static void
tell_at_address(struct notify_out *o, const struct tell_wish *w, const struct key *key)
{
	const struct notify_policy policy = notify_out_policy(o);
	const struct notify_target to = {
		.address = w->address, .port = NOTIFY_PORT /* where no SRV record gives another */, .key = &key->tsig,
		.source = notify_source(&policy, &key->primary, &w->address),
	};
	bool is_in_key = key->right == RIGHT_TRANSFER && key_address_is_equal(&key->secondary, &w->address);
	if (is_in_key && notify_is_allowed(&policy, &w->address, 0, true)) {
		notify_every_zone(o->told_view, w->domain.oct, &to, notify_out_tell, o);
	}
}

static void
tell_all(void *notify_out, const struct subscription *s)
{
	struct notify_out *o = notify_out;
	notify_every_zone(o->told_view, s->zone.oct, &s->target, notify_out_tell, o);
}

static void
tell_as_target(struct notify_out *o, const struct tell_wish *w)
{
	const struct notify_policy policy = notify_out_policy(o);
	const struct notify_listener to = { .each = notify_out_tell, .looked = notify_out_looked, .ctx = o };
	static const struct notify_left_out nobody;
	err_t err = notify_every_zone_at(o->told_view, w->domain.oct, &w->address, &policy, &to);
	if (err != OK) {
		report_notify_incomplete(o->log, err, &nobody);
	}
}

static void
carry_out(struct notify_out *o, const struct tell_wish *w)
{
	const struct key *key = keystore_find(o->told_view->keys, w->key.oct);
	if (key == NULL || !key_has_right(key, RIGHT_TRANSFER, w->domain.oct) || notify_out_find_told(o, &w->domain) != NULL) {
		return;
	}
	switch (w->way) {
	case TELL_AT_ADDRESS:
		tell_at_address(o, w, key);
		break;
	case TELL_BY_CONNECTION:
		subscriptions_each_awaited(&o->subscriptions, w, tell_all, o);
		break;
	case TELL_AS_TARGET:
		tell_as_target(o, w);
		break;
	}
}

void
notify_out_tell_wished(struct notify_out *o)
{
	uint64_t now_ms = clock_ms();
	struct tell_wish w;
	if (o->told_view != NULL && tell_pace_next(&o->pace, now_ms, &w)) {
		carry_out(o, &w);
		if (tell_pace_is_due(&o->pace, now_ms)) {
			o->wake(o->ctx);
		}
	}
}
