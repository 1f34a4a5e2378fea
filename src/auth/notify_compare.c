#include "auth/notify_compare.h"

#include <stdlib.h>

#include "auth/notify_places.h"
#include "auth/notify_targets_p.h"
#include "auth/secondaries.h"
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
	const uint8_t **areas;         /* owned: names at or below which zones may have new targets; some twice */
	size_t areas_n, areas_cap;
	err_t err;                     /* of the callbacks that cannot return it */
	struct notify_targets targets; /* of the zone at hand */
	struct notify_targets before;  /* of the same zone, in the old view */
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

/* The targets of a zone, in one of the views. */
static void
find_targets(const struct comparing *c, const struct notify_index *ix, const struct zone *z, struct notify_targets *out)
{
	notify_targets_of(ix, z, c->policy, out);
	if (c->to->looked != NULL) {
		c->to->looked(c->to->ctx);
	}
}

static void
note_left_out(struct comparing *c, const struct zone *z)
{
	struct notify_left_out *o = c->left_out;
	o->cut_n += c->targets.is_cut;
	if (c->targets.has_passed && o->passed_n++ == 0) {
		o->passed = c->targets.passed;
		o->passed_port = c->targets.passed_port;
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
	find_targets(c, ix, z, &c->targets);
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

/* ---- new targets of zones that did not change ---- */

/* True when the key is not in the old view, or has another secret or algorithm there. */
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

static void
add_area(void *comparing, const uint8_t *domain)
{
	struct comparing *c = comparing;
	if (c->areas_n != 0 && name_is_equal(c->areas[c->areas_n - 1], domain)) {
		return;
	}
	if (!try_room(&c->areas, sizeof *c->areas, c->areas_n, &c->areas_cap)) {
		c->err = E_NOMEM;
		return;
	}
	c->areas[c->areas_n++] = domain;
}

/* A `_secondaries` file of the domain names the key for a host. */
static void
add_signer(void *comparing, const uint8_t *key, const uint8_t *domain)
{
	struct comparing *c = comparing;
	const struct key *k = keystore_find(c->now_view->keys, key);
	if (k != NULL && is_fresh(c->old_view, &k->tsig)) {
		add_area(c, domain);
	}
}

static int
compare_areas(const void *a, const void *b)
{
	const uint8_t *const *x = a, *const *y = b;
	return name_compare(*x, *y);
}

/* Lists the areas in canonical order, so that an area within another one comes right after it. */
static err_t
find_areas(struct comparing *c)
{
	if (c->old_view->keys != c->now_view->keys) {
		for (const struct domain *d = c->now->domains; d != c->now->domains + c->now->domains_n; d++) {
			if (has_fresh(c, d)) {
				add_area(c, d->name.oct);
			}
		}
		secondaries_signers(c->now_view->secondaries, add_signer, c);
	}
	if (c->old_view->secondaries != c->now_view->secondaries) {
		secondaries_changed(c->old_view->secondaries, c->now_view->secondaries, add_area, c);
	}
	if (c->areas_n != 0) {
		qsort(c->areas, c->areas_n, sizeof *c->areas, compare_areas);
	}
	return c->err;
}

static bool
is_as_before(const struct comparing *c, const struct zone *z)
{
	return view_zone(c->old_view, z->apex_name) == z;
}

static bool
is_same_key(const struct tsig_key *a, const struct tsig_key *b)
{
	return name_is_equal(a->name.oct, b->name.oct) && key_is_same(a, b);
}

/* True when no target had this address and port before; for a signed target: none with this key. */
static bool
is_new(const struct notify_targets *before, const struct notify_target *to)
{
	for (size_t i = 0; i < before->n; i++) {
		const struct notify_target *t = &before->list[i];
		if (target_is_at(t, to) && (to->key == NULL || (t->key != NULL && is_same_key(t->key, to->key)))) {
			return false;
		}
	}
	return true;
}

static bool
has_new_at(const struct notify_targets *targets, const bool *is_new_one, const struct notify_target *at)
{
	for (size_t i = 0; i < targets->n; i++) {
		if (is_new_one[i] && target_is_at(&targets->list[i], at)) {
			return true;
		}
	}
	return false;
}

/* Tells the zone at each address and port that has a new target, with all keys there: the secondary may know only an old one. */
static void
tell_new(struct comparing *c, const struct zone *z)
{
	const struct notify_news news = notify_news_of(z);
	bool is_new_one[NOTIFY_TARGETS_MAX];
	find_targets(c, c->old, z, &c->before);
	find_targets(c, c->now, z, &c->targets);
	note_left_out(c, z);
	for (size_t i = 0; i < c->targets.n; i++) {
		is_new_one[i] = is_new(&c->before, &c->targets.list[i]);
	}
	for (size_t i = 0; i < c->targets.n; i++) {
		if (has_new_at(&c->targets, is_new_one, &c->targets.list[i])) {
			tell_target(c, &news, &c->targets.list[i]);
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
iter_within(struct trie_iter *it, const struct trie *t, const uint8_t *domain)
{
	struct nkey key;
	nkey_set(&key, domain);
	trie_iter_seek(it, t, &key);
}

/* Tells the new targets in an area of the zones that did not change; for changed zones all targets were told already. */
static void
tell_area(struct comparing *c, const uint8_t *domain)
{
	struct trie_iter it;
	const struct zone *z;
	iter_within(&it, &c->now_view->zones, domain);
	while ((z = next_within(&it, domain)) != NULL) {
		if (is_as_before(c, z)) {
			tell_new(c, z);
		}
	}
}

static err_t
tell_new_targets(struct comparing *c)
{
	if (c->old_view == NULL ||
	    (c->old_view->keys == c->now_view->keys && c->old_view->secondaries == c->now_view->secondaries)) {
		return OK;
	}
	TRY(need_index(c->now_view, &c->now));
	TRY(find_areas(c));
	if (c->areas_n != 0) {
		TRY(need_index(c->old_view, &c->old));
	}
	const uint8_t *done = NULL;
	for (size_t i = 0; i < c->areas_n; i++) {
		if (done == NULL || !name_is_within(c->areas[i], done)) {
			done = c->areas[i];
			tell_area(c, done);
		}
	}
	return OK;
}

/* ---- from outside ---- */

static void
comparing_free(struct comparing **c)
{
	notify_index_free(&(*c)->old);
	notify_index_free(&(*c)->now);
	free((*c)->areas);
	free_ptr(c);
}

err_t
notify_compare(const struct view *old, const struct view *now, const struct notify_policy *policy,
               const struct notify_listener *to, struct notify_left_out *out)
{
	struct comparing *c = try_alloc(sizeof *c); /* too large for the stack: it has room for the targets of a zone, twice */
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
		err = tell_new_targets(c);
	}
	comparing_free(&c);
	return err;
}

err_t
notify_zones(const struct view *v, const struct name *zones, size_t n, const struct notify_policy *policy,
             const struct notify_listener *to, struct notify_left_out *out)
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
	for (size_t i = 0; i < n && err == OK; i++) {
		const struct zone *z = view_zone(v, zones[i].oct);
		if (z != NULL) {
			const struct notify_news news = notify_news_of(z);
			tell(c, c->now, z, &news);
		}
	}
	comparing_free(&c);
	return err;
}

/* Tells an address at each port that SRV records give for it; at its own port if they give none. */
static void
tell_at_ports(const struct view *v, const struct zone *z, const struct notify_target *to, notify_each *each, void *ctx)
{
	const struct notify_news news = notify_news_of(z);
	struct notify_target at = *to;
	struct notify_places places;
	uint16_t ports[NOTIFY_PORTS_MAX];
	size_t n = 0;
	if (to->conn == 0) {
		notify_places_of(v, z, &places);
		n = notify_ports_of(&places, &to->address, ports);
	}
	if (n == 0) {
		each(ctx, &news, to);
	}
	for (size_t i = 0; i < n; i++) {
		at.port = ports[i];
		each(ctx, &news, &at);
	}
}

/* The next zone of ours at or below a name that cannot be served; the iterator began there. */
static const struct shut_zone *
next_shut(struct trie_iter *it, const uint8_t *domain)
{
	const struct shut_zone *z;
	do {
		z = trie_iter_next(it);
	} while (z != NULL && z->why == SHUT_UNKNOWN && name_is_within(z->apex, domain));
	return z != NULL && name_is_within(z->apex, domain) ? z : NULL;
}

void
notify_every_zone(const struct view *v, const uint8_t *domain, const struct notify_target *to, notify_each *each, void *ctx)
{
	struct trie_iter it;
	const struct zone *z;
	const struct shut_zone *shut;
	iter_within(&it, &v->zones, domain);
	while ((z = next_within(&it, domain)) != NULL) {
		tell_at_ports(v, z, to, each, ctx);
	}
	iter_within(&it, &v->shut, domain);
	while ((shut = next_shut(&it, domain)) != NULL) {
		const struct notify_news news = { .zone = shut->apex };
		each(ctx, &news, to);
	}
}

static void
tell_at(struct comparing *c, const struct zone *z, const struct key_address *address)
{
	const struct notify_news news = notify_news_of(z);
	find_targets(c, c->now, z, &c->targets);
	for (size_t i = 0; i < c->targets.n; i++) {
		if (key_address_is_equal(&c->targets.list[i].address, address)) {
			tell_target(c, &news, &c->targets.list[i]);
		}
	}
}

err_t
notify_every_zone_at(const struct view *v, const uint8_t *domain, const struct key_address *address,
                     const struct notify_policy *policy, const struct notify_listener *to)
{
	struct comparing *c = try_alloc(sizeof *c);
	struct trie_iter it;
	const struct zone *z;
	if (c == NULL) {
		return E_NOMEM;
	}
	c->policy = policy;
	c->to = to;
	err_t err = need_index(v, &c->now);
	if (err == OK) {
		iter_within(&it, &v->zones, domain);
		while ((z = next_within(&it, domain)) != NULL) {
			tell_at(c, z, address);
		}
	}
	comparing_free(&c);
	return err;
}

bool
notify_has_zone(const struct view *v, const uint8_t *domain)
{
	struct trie_iter it, shut;
	iter_within(&it, &v->zones, domain);
	iter_within(&shut, &v->shut, domain);
	return next_within(&it, domain) != NULL || next_shut(&shut, domain) != NULL;
}
