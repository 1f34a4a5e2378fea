#include "auth/notify_targets.h"

#include <stdlib.h>
#include <string.h>

#include "auth/notify_places.h"
#include "auth/notify_targets_p.h"
#include "auth/secondaries.h"
#include "base/alloc.h"
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

struct search {
	const struct notify_index *ix;
	const struct zone *zone;
	const struct notify_policy *policy;
	struct notify_targets *out;
	size_t looked_n;
	struct notify_places places; /* of hosts that SRV records name */
};

/* Keys that something is told with; none: it is told unsigned. */
struct signers {
	const struct key *list[NOTIFIER_KEYS_MAX];
	size_t n;
};

/* At one address and port: once with each key, NOTIFIER_KEYS_MAX at most; unsigned only when there is no key. */
static void
put_target(struct notify_targets *out, const struct notify_target *to)
{
	unsigned keys_n = 0;
	for (size_t i = 0; i < out->n; i++) {
		struct notify_target *there = &out->list[i];
		if (!target_is_at(there, to)) {
			continue;
		}
		if (to->key == NULL || to->key == there->key) {
			return;
		}
		if (there->key == NULL) {
			*there = *to;
			return;
		}
		keys_n++;
	}
	if (keys_n == NOTIFIER_KEYS_MAX) {
		return;
	}
	if (out->n == NOTIFY_TARGETS_MAX) {
		out->is_cut = true;
		return;
	}
	out->list[out->n++] = *to;
}

struct place {
	struct key_address address;
	uint16_t port; /* that an SRV record gives; 0: none does */
	bool is_named; /* by a key or a `_secondaries` file */
};

/* It is not allowed.  When that is only because it is no loopback address, it is kept for the log. */
static void
pass_over(struct search *s, const struct place *p)
{
	struct notify_policy wider = *s->policy;
	wider.is_loopback_only = false;
	if (!s->out->has_passed && notify_is_allowed(&wider, &p->address, p->port, p->is_named)) {
		s->out->has_passed = true;
		s->out->passed = p->address;
		s->out->passed_port = p->port != 0 ? p->port : NOTIFY_PORT;
	}
}

static void
add_place(struct search *s, const struct place *p, const struct signers *by)
{
	struct notify_target to = { .address = p->address, .port = p->port != 0 ? p->port : NOTIFY_PORT };
	if (s->looked_n++ >= NOTIFY_LOOKED_MAX) {
		s->out->is_cut = true;
		return;
	}
	if (!notify_is_allowed(s->policy, &p->address, p->port, p->is_named)) {
		pass_over(s, p);
		return;
	}
	if (by->n == 0) {
		put_target(s->out, &to);
	}
	for (size_t i = 0; i < by->n; i++) {
		to.source = notify_source(s->policy, &by->list[i]->primary, &p->address);
		to.key = &by->list[i]->tsig;
		put_target(s->out, &to);
	}
}

/* At each port that SRV records give for the address. */
static void
add_address(struct search *s, const struct key_address *a, const struct signers *by, bool is_named)
{
	uint16_t ports[NOTIFY_PORTS_MAX];
	size_t n = notify_ports_of(&s->places, a, ports);
	if (n == 0) {
		add_place(s, &(struct place){ .address = *a, .is_named = is_named }, by);
	}
	for (size_t i = 0; i < n; i++) {
		add_place(s, &(struct place){ .address = *a, .port = ports[i], .is_named = is_named }, by);
	}
}

/* ---- 1: secondaries in the names of transfer keys ---- */

static void
add_domain(struct search *s, const struct domain *d)
{
	for (size_t i = d->first; i < d->first + d->n && !s->out->is_cut; i++) {
		const struct signers by = { .list = { s->ix->keys[i] }, .n = 1 };
		add_address(s, &s->ix->keys[i]->secondary, &by, true);
	}
}

static void
add_keys(struct search *s)
{
	struct nkey key;
	struct trie_path path;
	nkey_set(&key, s->zone->apex_name);
	trie_lookup(&s->ix->by_name.now, &key, &path);
	if (path.exact != NULL) {
		add_domain(s, path.exact);
	}
	for (unsigned i = path.n; i != 0; i--) {
		add_domain(s, path.ancestor[i - 1]);
	}
}

/* ---- 2 and 3: hosts ---- */

/* The keys that a file names for a host.  A name that no keys file has is left out. */
static void
find_signers(const struct search *s, const uint8_t *host, struct signers *out)
{
	const struct view *v = s->ix->view;
	const uint8_t *names[NOTIFIER_KEYS_MAX];
	size_t n = secondaries_keys(v->secondaries, s->zone->apex_name, host, names, NOTIFIER_KEYS_MAX);
	out->n = 0;
	for (size_t i = 0; i < n && i < NOTIFIER_KEYS_MAX; i++) {
		const struct key *k = keystore_find(v->keys, names[i]);
		if (k != NULL) {
			out->list[out->n++] = k;
		}
	}
}

static void
add_places(struct search *s)
{
	struct signers by = { .n = 0 };
	for (size_t i = 0; i < s->places.n; i++) {
		const struct notify_place *p = &s->places.list[i];
		if (i == 0 || p->host != p[-1].host) {
			find_signers(s, p->host, &by);
		}
		add_place(s, &(struct place){ .address = p->address, .port = p->port, .is_named = true }, &by);
	}
	s->out->is_cut |= s->places.is_cut;
}

/* False: its addresses are not known. */
static bool
add_name_server(struct search *s, const uint8_t *host)
{
	struct key_address at[NOTIFY_PLACES_MAX];
	struct signers by;
	bool is_listed;
	size_t n = notify_addresses_of(s->ix->view, s->zone, host, at, &is_listed);
	find_signers(s, host, &by);
	for (size_t i = 0; i < n && i < NOTIFY_PLACES_MAX; i++) {
		add_address(s, &at[i], &by, is_listed || by.n != 0);
	}
	s->out->is_cut |= n > NOTIFY_PLACES_MAX;
	return n != 0;
}

/* Returns the first host whose addresses are not known; NULL: none. */
static const uint8_t *
add_name_servers(struct search *s)
{
	const uint8_t *unknown = NULL, *mname = rrset_first(s->zone->soa)->rdata;
	if (s->zone->ns == NULL) {
		return NULL;
	}
	const struct rr *ns = rrset_first(s->zone->ns);
	unsigned n = s->zone->ns->n, left = n < NOTIFY_PLACES_MAX ? n : NOTIFY_PLACES_MAX;
	for (; left != 0 && !s->out->is_cut; left--, ns = rr_next(ns)) {
		if (!name_is_equal(ns->rdata, mname) && !add_name_server(s, ns->rdata) && unknown == NULL) {
			unknown = ns->rdata;
		}
	}
	s->out->is_cut |= n > NOTIFY_PLACES_MAX;
	return unknown;
}

/* Is it worth saying that a name server's addresses are not known?  Not when the operator does not want name servers to be told.  Nor
 * when keys or files name secondaries of the zone: the name server may be one of these. */
static bool
is_worth_saying(const struct search *s, size_t named_n)
{
	return named_n == 0 && s->policy->whom == NOTIFY_WHOM_ALL && !s->policy->is_loopback_only && !s->out->is_cut;
}

void
notify_targets_of(const struct notify_index *ix, const struct zone *z, const struct notify_policy *policy,
                  struct notify_targets *out)
{
	struct search s; /* not all of it is initialised: the list of places is long, and mostly empty */
	s.ix = ix;
	s.zone = z;
	s.policy = policy;
	s.out = out;
	s.looked_n = 0;
	out->n = 0;
	out->is_cut = out->has_passed = false;
	notify_places_of(ix->view, z, &s.places);
	add_keys(&s);
	add_places(&s);
	size_t named_n = out->n;
	const uint8_t *unknown = add_name_servers(&s);
	out->unknown = is_worth_saying(&s, named_n) ? unknown : NULL;
	if (s.places.unknown != NULL && policy->whom != NOTIFY_WHOM_NONE) {
		out->unknown = s.places.unknown; /* which is a mistake in a file */
	}
}
