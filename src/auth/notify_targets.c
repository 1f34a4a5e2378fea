#include "auth/notify_targets.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/rrtype.h"
#include "zone/nkey.h"

/* Keys of one domain. */
struct domain {
	size_t first, n; /* in notify_index.keys */
	struct name name;
};
#define DOMAIN_NAME_AT offsetof(struct domain, name.oct)

struct notify_index {
	const struct view *view;
	const struct key **keys; /* those that NOTIFY has use for, by domain, then by name */
	size_t keys_n;
	struct domain *domains;  /* in canonical order */
	size_t domains_n;
	struct trie_txn by_name; /* of struct domain; never committed */
};

/* ---- keys by domain ---- */

static bool
is_for_notify(const struct key *k)
{
	return k->right == RIGHT_TRANSFER && k->secondary.family != 0;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct key *const *x = a, *const *y = b;
	int order = name_compare((*x)->domain.oct, (*y)->domain.oct);
	return order != 0 ? order : name_compare((*x)->tsig.name.oct, (*y)->tsig.name.oct);
}

static err_t
collect_keys(struct notify_index *ix)
{
	const struct keystore *ks = ix->view->keys;
	size_t n = ks != NULL ? keystore_count(ks) : 0;
	for (size_t i = 0; i < n; i++) {
		ix->keys_n += is_for_notify(keystore_at(ks, i));
	}
	if (ix->keys_n == 0) {
		return OK;
	}
	ix->keys = try_alloc(ix->keys_n * sizeof(struct key *));
	if (ix->keys == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0, at = 0; i < n; i++) {
		if (is_for_notify(keystore_at(ks, i))) {
			ix->keys[at++] = keystore_at(ks, i);
		}
	}
	qsort(ix->keys, ix->keys_n, sizeof(struct key *), compare_keys);
	return OK;
}

static bool
begins_domain(const struct notify_index *ix, size_t i)
{
	return i == 0 || !name_is_equal(ix->keys[i - 1]->domain.oct, ix->keys[i]->domain.oct);
}

static err_t
collect_domains(struct notify_index *ix)
{
	size_t n = 0;
	void *none;
	for (size_t i = 0; i < ix->keys_n; i++) {
		n += begins_domain(ix, i);
	}
	ix->domains = try_alloc(n * sizeof *ix->domains);
	if (ix->domains == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0; i < ix->keys_n; i++) {
		if (begins_domain(ix, i)) {
			struct domain *d = &ix->domains[ix->domains_n];
			d->first = i;
			name_set(&d->name, ix->keys[i]->domain.oct);
			TRY(trie_put(&ix->by_name, d, &none));
			ix->domains_n++;
		}
		ix->domains[ix->domains_n - 1].n++;
	}
	return OK;
}

err_t
notify_index_new(const struct view *v, struct notify_index **out)
{
	[[gnu::cleanup(notify_index_free)]] struct notify_index *ix = try_alloc(sizeof *ix);
	struct trie none;
	if (ix == NULL) {
		return E_NOMEM;
	}
	ix->view = v;
	trie_init(&none, DOMAIN_NAME_AT);
	trie_begin(&ix->by_name, &none);
	TRY(collect_keys(ix));
	TRY(collect_domains(ix));
	*out = ix;
	ix = NULL;
	return OK;
}

void
notify_index_free(struct notify_index **ix)
{
	if (*ix == NULL) {
		return;
	}
	trie_rollback(&(*ix)->by_name);
	free((*ix)->domains);
	free((*ix)->keys);
	free_ptr(ix);
}

/* ---- the targets of a zone ---- */

/* Can it be one server's, as seen from here? */
static bool
is_unicast(const struct key_address *a)
{
	static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF }, unspecified[16];
	const uint8_t *o = a->octets;
	if (a->family == 4) {
		return o[0] != 0 && o[0] < 224; /* RFC 1122 3.2.1.3 (a), (b); classes D and E */
	}
	return o[0] != 0xFF && !(o[0] == 0xFE && (o[1] & 0xC0) == 0x80) && memcmp(o, mapped, sizeof mapped) != 0 &&
	       memcmp(o, unspecified, sizeof unspecified) != 0;
}

/* Unsigned, an address is told when nobody has a key for it; signed, with each of its keys, since it may not know them all. */
static bool
is_listed(const struct notify_targets *t, const struct key_address *a, const struct tsig_key *key)
{
	unsigned n = 0;
	for (size_t i = 0; i < t->n; i++) {
		n += key_address_is_equal(&t->list[i].address, a);
	}
	return n >= (key != NULL ? NOTIFIER_KEYS_MAX : 1);
}

static bool
is_own(const struct notify_policy *policy, const struct key_address *a)
{
	for (size_t i = 0; i < policy->own_n; i++) {
		if (key_address_is_equal(&policy->own[i], a)) {
			return true;
		}
	}
	return false;
}

bool
notify_is_loopback(const struct key_address *a)
{
	static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF }, one[16] = { [15] = 1 };
	const uint8_t *o = a->octets;
	if (a->family == 4) {
		return o[0] == 127;
	}
	return a->family == 6 && (memcmp(o, one, sizeof one) == 0 || (memcmp(o, mapped, sizeof mapped) == 0 && o[12] == 127));
}

static bool
is_too_far(const struct notify_policy *policy, const struct key_address *a)
{
	return policy->is_loopback_only && !notify_is_loopback(a);
}

bool
notify_is_allowed(const struct notify_policy *policy, const struct key_address *a, bool is_keyed)
{
	return policy->whom != NOTIFY_WHOM_NONE && (is_keyed || policy->whom == NOTIFY_WHOM_ALL) && !is_too_far(policy, a) &&
	       is_unicast(a) && !is_own(policy, a);
}

/* Kept for the log.  What would not be told anyway is not passed over. */
static void
pass_over(struct notify_targets *out, const struct notify_policy *policy, const struct key_address *a, bool is_keyed)
{
	struct notify_policy wider = *policy;
	wider.is_loopback_only = false;
	if (!out->has_passed && is_too_far(policy, a) && notify_is_allowed(&wider, a, is_keyed)) {
		out->has_passed = true;
		out->passed = *a;
	}
}

static void
add_target(struct notify_targets *out, const struct notify_policy *policy, const struct key_address *a,
           const struct tsig_key *key)
{
	if (!notify_is_allowed(policy, a, key != NULL)) {
		pass_over(out, policy, a, key != NULL);
		return;
	}
	if (is_listed(out, a, key)) {
		return;
	}
	if (out->n == NOTIFY_TARGETS_MAX) {
		out->is_cut = true;
		return;
	}
	out->list[out->n++] = (struct notify_target){ .address = *a, .port = NOTIFY_PORT, .key = key };
}

static void
add_domain(const struct notify_index *ix, const struct domain *d, const struct notify_policy *policy, struct notify_targets *out)
{
	for (size_t i = d->first; i < d->first + d->n; i++) {
		const struct key *k = ix->keys[i];
		add_target(out, policy, &k->secondary, &k->tsig);
	}
}

static void
add_keys(const struct notify_index *ix, const uint8_t *apex, const struct notify_policy *policy, struct notify_targets *out)
{
	struct nkey key;
	struct trie_path path;
	nkey_set(&key, apex);
	trie_lookup(&ix->by_name.now, &key, &path);
	if (path.exact != NULL) {
		add_domain(ix, path.exact, policy, out);
	}
	for (unsigned i = path.n; i != 0; i--) {
		add_domain(ix, path.ancestor[i - 1], policy, out);
	}
}

static void
add_rrset(const struct rrset *set, uint8_t family, const struct notify_policy *policy, struct notify_targets *out)
{
	const struct rr *rr = set != NULL ? rrset_first(set) : NULL;
	for (unsigned left = set != NULL ? set->n : 0; left != 0 && !out->is_cut; left--, rr = rr_next(rr)) {
		struct key_address a = { .family = family };
		ASSERT(rr->rdlen <= sizeof a.octets);
		memcpy(a.octets, rr->rdata, rr->rdlen);
		add_target(out, policy, &a, NULL);
	}
}

/* The node of a host in a zone, if it has addresses there. */
static const struct node *
host_in(const struct zone *z, const struct nkey *host)
{
	const struct node *n = z != NULL ? trie_get(&z->nodes, host) : NULL;
	return n != NULL && (node_rrset(n, TYPE_A) != NULL || node_rrset(n, TYPE_AAAA) != NULL) ? n : NULL;
}

/* The deepest zone served at or above a name, or NULL. */
static const struct zone *
zone_around(const struct view *v, const struct nkey *name)
{
	struct trie_path path;
	trie_lookup(&v->zones, name, &path);
	return path.exact != NULL ? path.exact : path.n != 0 ? path.ancestor[path.n - 1] : NULL;
}

static void
add_host(const struct view *v, const struct zone *z, const uint8_t *host, const struct notify_policy *policy,
         struct notify_targets *out)
{
	struct nkey key;
	nkey_set(&key, host);
	const struct node *n = host_in(z, &key);
	n = n != NULL ? n : host_in(zone_around(v, &key), &key);
	if (n != NULL) {
		add_rrset(node_rrset(n, TYPE_A), 4, policy, out);
		add_rrset(node_rrset(n, TYPE_AAAA), 6, policy, out);
	}
}

static const struct rr *
soa_of(const struct zone *z)
{
	return rrset_first(z->soa);
}

void
notify_targets_of(const struct notify_index *ix, const struct zone *z, const struct notify_policy *policy,
                  struct notify_targets *out)
{
	out->n = 0;
	out->is_cut = out->has_passed = false;
	add_keys(ix, z->apex_name, policy, out); /* first, so that the signed ones win */
	const uint8_t *mname = soa_of(z)->rdata;
	const struct rr *ns = rrset_first(z->ns);
	for (unsigned left = z->ns->n; left != 0 && !out->is_cut; left--, ns = rr_next(ns)) {
		if (!name_is_equal(ns->rdata, mname)) {
			add_host(ix->view, z, ns->rdata, policy, out);
		}
	}
}

struct notify_news
notify_news_of(const struct zone *z)
{
	const struct rr *soa = soa_of(z);
	return (struct notify_news){ .zone = z->apex_name, .soa = soa->rdata, .soa_len = soa->rdlen,
		                     .soa_ttl = rrset_ttl(z->soa) };
}

/* ---- between two views ---- */

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
	if (!c->targets.has_passed) {
		return;
	}
	if (o->passed_n++ == 0) {
		o->passed = c->targets.passed;
		name_set(&o->passed_zone, z->apex_name);
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

/* To those of its targets whose keys are fresh. */
static void
tell_fresh(struct comparing *c, const struct zone *z)
{
	const struct notify_news news = notify_news_of(z);
	notify_targets_of(c->now, z, c->policy, &c->targets);
	note_left_out(c, z);
	for (size_t i = 0; i < c->targets.n; i++) {
		const struct notify_target *to = &c->targets.list[i];
		if (to->key != NULL && is_fresh(c->old_view, to->key)) {
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
