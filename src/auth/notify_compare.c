#include "auth/notify_compare.h"

#include <stdlib.h>

#include "auth/notify_targets_p.h"
#include "base/alloc.h"
#include "zone/nkey.h"

struct notify_news
notify_news_of(const struct zone *z)
{
	const struct rr *soa = rrset_first(z->soa);
	return (struct notify_news){ .zone = z->apex_name, .soa = soa->rdata, .soa_len = soa->rdlen,
		                     .soa_ttl = rrset_ttl(z->soa) };
}

struct comparing {
	struct notify_index *old, *now; /* NULL until they are needed */
	const struct view *old_view, *now_view;
	const struct notify_policy *policy;
	const struct notify_listener *to;
	struct notify_left_out *left_out;
	struct notify_targets targets; /* of the zone at hand */
};

static err_t
need_index(const struct view *v, struct notify_index **ix)
{
	return *ix != NULL ? OK : notify_index_new(v, ix);
}

static void
tell_target(const struct comparing *c, const struct notify_news *news, const struct notify_target *to)
{
	if (c->to->each != NULL) {
		c->to->each(c->to->ctx, news, to);
	}
}

static void
note_left_out(struct comparing *c, const struct zone *z)
{
	struct notify_left_out *o = c->left_out;
	o->cut_n += c->targets.is_cut;
	if (c->targets.has_passed && o->passed_n++ == 0) {
		o->passed = c->targets.passed;
		name_set(&o->passed_zone, z->apex_name);
	}
	if (c->targets.unknown != NULL && o->unknown_n++ == 0) {
		name_set(&o->unknown, c->targets.unknown);
		name_set(&o->unknown_zone, z->apex_name);
	}
}

static void
tell(struct comparing *c, const struct notify_index *ix, const struct zone *z, const struct notify_news *news)
{
	notify_targets_of(ix, z, c->policy, &c->targets);
	note_left_out(c, z);
	if (c->to->zone != NULL) {
		c->to->zone(c->to->ctx, news, &c->targets);
	}
	for (size_t i = 0; i < c->targets.n; i++) {
		tell_target(c, news, &c->targets.list[i]);
	}
}

static err_t
tell_change(struct comparing *c, const struct zone *old, const struct zone *now)
{
	const struct notify_policy *p = c->policy;
	if (now != NULL && p->is_put_off != NULL && p->is_put_off(p->ctx, now)) {
		return OK;
	}
	if (now != NULL) {
		const struct notify_news news = notify_news_of(now);
		TRY(need_index(c->now_view, &c->now));
		tell(c, c->now, now, &news);
	} else {
		const struct notify_news news = { .zone = old->apex_name };
		TRY(need_index(c->old_view, &c->old));
		tell(c, c->old, old, &news);
	}
	return OK;
}

static int
zone_order(const struct zone *a, const struct zone *b)
{
	return a == NULL ? 1 : b == NULL ? -1 : a == b ? 0 : name_compare(a->apex_name, b->apex_name);
}

static err_t
tell_zones(struct comparing *c)
{
	static const struct trie no_zones = { .name_at = ZONE_NAME_AT };
	struct trie_iter in_old, in_now;
	trie_iter_first(&in_old, c->old_view != NULL ? &c->old_view->zones : &no_zones);
	trie_iter_first(&in_now, &c->now_view->zones);
	const struct zone *old = trie_iter_next(&in_old), *now = trie_iter_next(&in_now);
	while (old != NULL || now != NULL) {
		int order = zone_order(old, now);
		if (old == now) {
			trie_iter_skip_shared(&in_old, &in_now);
		} else {
			TRY(tell_change(c, old, order < 0 ? NULL : now));
		}
		old = order <= 0 ? trie_iter_next(&in_old) : old;
		now = order >= 0 ? trie_iter_next(&in_now) : now;
	}
	return OK;
}

/* Not in the old view, or with another secret there. */
static bool
is_fresh(const struct view *old, const struct tsig_key *key)
{
	const struct key *before = keystore_find(old->keys, key->name.oct);
	return before == NULL || !key_is_same(&before->tsig, key);
}

static bool
has_fresh(const struct comparing *c, const struct domain *d)
{
	for (size_t i = d->first; i < d->first + d->n; i++) {
		if (is_fresh(c->old_view, &c->now->keys[i]->tsig)) {
			return true;
		}
	}
	return false;
}

static bool
is_as_before(const struct comparing *c, const struct zone *z)
{
	return view_zone(c->old_view, z->apex_name) == z;
}

static bool
has_fresh_at(const struct comparing *c, const struct key_address *a)
{
	for (size_t i = 0; i < c->targets.n; i++) {
		const struct notify_target *to = &c->targets.list[i];
		if (to->key != NULL && key_address_is_equal(&to->address, a) && is_fresh(c->old_view, to->key)) {
			return true;
		}
	}
	return false;
}

/* To the addresses that have a fresh key; with their other keys, too, which may be all that the secondary knows yet. */
static void
tell_fresh(struct comparing *c, const struct zone *z)
{
	const struct notify_news news = notify_news_of(z);
	notify_targets_of(c->now, z, c->policy, &c->targets);
	note_left_out(c, z);
	for (size_t i = 0; i < c->targets.n; i++) {
		const struct notify_target *to = &c->targets.list[i];
		if (has_fresh_at(c, &to->address)) {
			tell_target(c, &news, to);
		}
	}
}

/* The next zone at or below a name; the iterator began there. */
static const struct zone *
next_within(struct trie_iter *it, const uint8_t *domain)
{
	const struct zone *z = trie_iter_next(it);
	return z != NULL && name_is_within(z->apex_name, domain) ? z : NULL;
}

static void
iter_within(struct trie_iter *it, const struct view *v, const uint8_t *domain)
{
	struct nkey key;
	nkey_set(&key, domain);
	trie_iter_seek(it, &v->zones, &key);
}

/* Zones that changed were told to all of their targets already. */
static err_t
tell_keys(struct comparing *c)
{
	if (c->old_view == NULL || c->old_view->keys == c->now_view->keys) {
		return OK;
	}
	TRY(need_index(c->now_view, &c->now));
	const struct domain *done = NULL; /* in canonical order what is within it comes right after it */
	for (const struct domain *d = c->now->domains; d != c->now->domains + c->now->domains_n; d++) {
		if ((done != NULL && name_is_within(d->name.oct, done->name.oct)) || !has_fresh(c, d)) {
			continue;
		}
		struct trie_iter it;
		const struct zone *z;
		iter_within(&it, c->now_view, d->name.oct);
		while ((z = next_within(&it, d->name.oct)) != NULL) {
			if (is_as_before(c, z)) {
				tell_fresh(c, z);
			}
		}
		done = d;
	}
	return OK;
}

err_t
notify_compare(const struct view *old, const struct view *now, const struct notify_policy *policy,
               const struct notify_listener *to, struct notify_left_out *out)
{
	struct comparing *c = try_alloc(sizeof *c); /* as large as the targets of a zone may be many */
	*out = (struct notify_left_out){ .cut_n = 0 };
	if (c == NULL) {
		return E_NOMEM;
	}
	c->old_view = old;
	c->now_view = now;
	c->policy = policy;
	c->to = to;
	c->left_out = out;
	err_t err = tell_zones(c);
	if (err == OK) {
		err = tell_keys(c);
	}
	notify_index_free(&c->old);
	notify_index_free(&c->now);
	free(c);
	return err;
}

err_t
notify_one_zone(const struct view *v, const struct zone *z, const struct notify_policy *policy, const struct notify_listener *to,
                struct notify_left_out *out)
{
	struct comparing *c = try_alloc(sizeof *c);
	*out = (struct notify_left_out){ .cut_n = 0 };
	if (c == NULL) {
		return E_NOMEM;
	}
	c->now_view = v;
	c->policy = policy;
	c->to = to;
	c->left_out = out;
	err_t err = need_index(v, &c->now);
	if (err == OK) {
		const struct notify_news news = notify_news_of(z);
		tell(c, c->now, z, &news);
	}
	notify_index_free(&c->now);
	free(c);
	return err;
}

void
notify_every_zone(const struct view *v, const uint8_t *domain, const struct notify_target *to, notify_each *each, void *ctx)
{
	struct trie_iter it;
	const struct zone *z;
	iter_within(&it, v, domain);
	while ((z = next_within(&it, domain)) != NULL) {
		const struct notify_news news = notify_news_of(z);
		each(ctx, &news, to);
	}
}
