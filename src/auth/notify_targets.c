#include "auth/notify_targets.h"

#include <stdlib.h>
#include <string.h>

#include "auth/notify_targets_p.h"
#include "base/alloc.h"
#include "dns/rrtype.h"
#include "zone/nkey.h"

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
	return order != 0 ? order : (*x)->order > (*y)->order ? -1 : (*x)->order < (*y)->order;
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

/* It is not allowed.  Kept for the log, if that is for being no loopback address alone. */
static void
pass_over(struct notify_targets *out, const struct notify_policy *policy, const struct key_address *a, bool is_keyed)
{
	struct notify_policy wider = *policy;
	wider.is_loopback_only = false;
	if (!out->has_passed && notify_is_allowed(&wider, a, is_keyed)) {
		out->has_passed = true;
		out->passed = *a;
	}
}

static void
add_target(struct notify_targets *out, const struct notify_policy *policy, const struct notify_target *to)
{
	bool is_keyed = to->key != NULL;
	if (!notify_is_allowed(policy, &to->address, is_keyed)) {
		pass_over(out, policy, &to->address, is_keyed);
		return;
	}
	if (is_listed(out, &to->address, to->key)) {
		return;
	}
	if (out->n == NOTIFY_TARGETS_MAX) {
		out->is_cut = true;
		return;
	}
	out->list[out->n++] = *to;
}

static void
add_domain(const struct notify_index *ix, const struct domain *d, const struct notify_policy *policy, struct notify_targets *out)
{
	for (size_t i = d->first; i < d->first + d->n; i++) {
		const struct key *k = ix->keys[i];
		const struct notify_target to = {
			.source = notify_source(policy, &k->primary, &k->secondary), .address = k->secondary, .port = NOTIFY_PORT,
			.key = &k->tsig,
		};
		add_target(out, policy, &to);
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
		struct notify_target to = { .address = { .family = family }, .port = NOTIFY_PORT };
		ASSERT(rr->rdlen <= sizeof to.address.octets);
		memcpy(to.address.octets, rr->rdata, rr->rdlen);
		add_target(out, policy, &to);
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
	} else if (out->unknown == NULL) {
		out->unknown = host;
	}
}

/* Is it by the operator's will, or may it be that the keys name these hosts?  Then there is nothing to say. */
static bool
is_missed(const struct notify_targets *out, const struct notify_policy *policy, size_t keyed)
{
	return keyed == 0 && policy->whom == NOTIFY_WHOM_ALL && !policy->is_loopback_only && !out->is_cut;
}

void
notify_targets_of(const struct notify_index *ix, const struct zone *z, const struct notify_policy *policy,
                  struct notify_targets *out)
{
	out->n = 0;
	out->is_cut = out->has_passed = false;
	out->unknown = NULL;
	add_keys(ix, z->apex_name, policy, out); /* first, so that the signed ones win */
	size_t keyed = out->n;
	const uint8_t *mname = rrset_first(z->soa)->rdata;
	const struct rr *ns = rrset_first(z->ns);
	for (unsigned left = z->ns->n; left != 0 && !out->is_cut; left--, ns = rr_next(ns)) {
		if (!name_is_equal(ns->rdata, mname)) {
			add_host(ix->view, z, ns->rdata, policy, out);
		}
	}
	out->unknown = is_missed(out, policy, keyed) ? out->unknown : NULL;
}
