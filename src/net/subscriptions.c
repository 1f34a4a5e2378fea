#include "net/subscriptions.h"

#include <stdlib.h>

#include "base/alloc.h"

/* ---- addresses ---- */

static unsigned
place_of(const struct key_address *a)
{
	unsigned h = a->family;
	for (size_t i = 0; i < sizeof a->octets; i++) {
		h = 31 * h + a->octets[i];
	}
	return h % SUBSCRIPTIONS_PLACES;
}

void
subscriptions_expect(struct subscriptions *s, const struct key_address *a)
{
	atomic_fetch_add_explicit(&s->at[place_of(a)], 1, memory_order_relaxed);
}

void
subscriptions_unexpect(struct subscriptions *s, const struct key_address *a)
{
	atomic_fetch_sub_explicit(&s->at[place_of(a)], 1, memory_order_relaxed);
}

bool
subscriptions_may_have(const struct subscriptions *s, const struct key_address *a)
{
	return atomic_load_explicit(&s->at[place_of(a)], memory_order_relaxed) != 0;
}

const struct key_address *
subscription_address(const struct key_address *in_key, const struct notify_target *asks_from)
{
	return in_key->family != 0 ? in_key : &asks_from->address;
}

static const struct key_address *
address_of(const struct subscription *s)
{
	return subscription_address(&s->secondary, &s->target);
}

/* ---- the list ---- */

void
subscriptions_fini(struct subscriptions *s)
{
	for (size_t i = 0; i < s->n; i++) {
		wipe(&s->list[i].key, sizeof s->list[i].key);
	}
	free(s->list);
	s->list = NULL;
	s->n = s->cap = 0;
}

static bool
is_same(const struct subscription *a, const struct subscription *b)
{
	return a->target.conn == b->target.conn && name_is_equal(a->zone.oct, b->zone.oct) &&
	       name_is_equal(a->key.name.oct, b->key.name.oct);
}

static bool
is_there(const struct subscriptions *s, const struct subscription *new)
{
	for (size_t i = 0; i < s->n; i++) {
		if (is_same(&s->list[i], new)) {
			return true;
		}
	}
	return false;
}

bool
subscriptions_add(struct subscriptions *s, const struct subscription *new)
{
	if (s->n == SUBSCRIPTIONS_MAX || is_there(s, new) || !try_room(&s->list, sizeof *s->list, s->n, &s->cap)) {
		return false;
	}
	s->list[s->n++] = *new;
	subscriptions_expect(s, address_of(new));
	return true;
}

static void
drop(struct subscriptions *s, size_t i)
{
	subscriptions_unexpect(s, address_of(&s->list[i]));
	wipe(&s->list[i].key, sizeof s->list[i].key);
	s->list[i] = s->list[--s->n];
}

void
subscriptions_drop_conn(struct subscriptions *s, uint64_t conn)
{
	for (size_t i = s->n; i-- != 0;) {
		if (s->list[i].target.conn == conn) {
			drop(s, i);
		}
	}
}

static bool
is_allowed(const struct view *v, const struct subscription *s)
{
	const struct key *key = keystore_find(v->keys, s->key.name.oct);
	return key != NULL && key_is_same(&key->tsig, &s->key) && key_has_right(key, RIGHT_TRANSFER, s->zone.oct);
}

void
subscriptions_drop_disallowed(struct subscriptions *s, const struct view *v)
{
	for (size_t i = s->n; i-- != 0;) {
		if (!is_allowed(v, &s->list[i])) {
			drop(s, i);
		}
	}
}

/* ---- telling ---- */

static bool
is_about(const struct subscription *s, const struct view *v, const uint8_t *zone)
{
	return name_is_equal(s->zone.oct, zone) ||
	       (name_is_within(zone, s->zone.oct) && (v == NULL || view_zone(v, s->zone.oct) == NULL));
}

static bool
has_target(const struct notify_targets *targets, const struct key_address *a)
{
	for (size_t i = 0; i < targets->n; i++) {
		if (key_address_is_equal(&targets->list[i].address, a)) {
			return true;
		}
	}
	return false;
}

static void
tell_one(const struct subscription *s, const struct notify_news *news, notify_each *each, void *ctx)
{
	struct notify_target to = s->target;
	to.key = &s->key;
	each(ctx, news, &to);
}

void
subscriptions_tell(const struct subscriptions *s, const struct view *v, const struct notify_news *news,
                   const struct notify_targets *targets, notify_each *each, void *ctx)
{
	for (size_t i = 0; i < s->n; i++) {
		if (is_about(&s->list[i], v, news->zone) && !has_target(targets, address_of(&s->list[i]))) {
			tell_one(&s->list[i], news, each, ctx);
		}
	}
}

void
subscriptions_take_report(struct subscriptions *s, const struct view *v, const struct notify_news *news,
                          const struct key_address *at, bool is_reached, notify_each *each, void *ctx)
{
	for (size_t i = 0; i < s->n; i++) {
		struct subscription *one = &s->list[i];
		if (!key_address_is_equal(address_of(one), at)) {
			continue;
		}
		one->is_reached |= is_reached;
		if (!one->is_reached && is_about(one, v, news->zone)) {
			tell_one(one, news, each, ctx);
		}
	}
}
