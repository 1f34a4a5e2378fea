#include "auth/secondaries_p.h"

#include <stdlib.h>
#include <string.h>

#include "auth/keys.h"
#include "base/alloc.h"
#include "dns/rrtype.h"
#include "dns/secret.h"

struct secondaries *
secondaries_new(void)
{
	return try_alloc(sizeof(struct secondaries));
}

void
secondaries_free(struct secondaries **s)
{
	if (*s == NULL) {
		return;
	}
	for (size_t i = 0; i < WHICH_COUNT; i++) {
		free((*s)->entries[i].list);
	}
	free((*s)->prefixes.list);
	free((*s)->shut.list);
	free((*s)->granted.list);
	free((*s)->signing.list);
	arena_fini(&(*s)->names);
	free_ptr(s);
}

/* ---- what goes in ---- */

const uint8_t *
secondaries_keep(struct secondaries *s, const uint8_t **last, const uint8_t *name)
{
	if (*last == NULL || !name_is_equal(*last, name)) {
		*last = arena_copy(&s->names, name, name_len(name));
	}
	return *last;
}

/* Takes the place of one record. */
err_t
secondaries_take_place(struct secondaries *s)
{
	ASSERT(!s->is_sealed);
	if (s->n == SECONDARIES_MAX) {
		return E_LIMIT;
	}
	s->n++;
	return OK;
}

err_t
secondaries_put(struct secondaries *s, enum which which, const struct entry *e)
{
	struct entries *to = &s->entries[which];
	struct entry own = *e;
	TRY(secondaries_take_place(s));
	own.at = secondaries_keep(s, &s->last_at, e->at);
	own.within = secondaries_keep(s, &s->last_within, e->within);
	own.name = e->name != NULL ? secondaries_keep(s, &s->last_name, e->name) : NULL;
	bool is_kept = own.at != NULL && own.within != NULL && (e->name == NULL || own.name != NULL);
	if (!is_kept || !try_room(&to->list, sizeof *to->list, to->n, &to->cap)) {
		return E_NOMEM;
	}
	to->list[to->n++] = own;
	return OK;
}

err_t
secondaries_put_grant(struct secondaries *s, struct grants *to, const uint8_t *key, const uint8_t *domain)
{
	struct secondary_grant own = { .key = secondaries_keep(s, &s->last_name, key), .domain = secondaries_keep(s, &s->last_at, domain) };
	if (own.key == NULL || own.domain == NULL || !try_room(&to->list, sizeof *to->list, to->n, &to->cap)) {
		return E_NOMEM;
	}
	to->list[to->n++] = own;
	return OK;
}

err_t
secondaries_merge(struct secondaries *into, const struct secondaries *from)
{
	const size_t begin = into->order_end;
	if (from->n > SECONDARIES_MAX - into->n) {
		return E_LIMIT;
	}
	into->order_end += from->order_end;
	for (size_t i = 0; i < WHICH_COUNT; i++) {
		for (size_t k = 0; k < from->entries[i].n; k++) {
			struct entry e = from->entries[i].list[k];
			e.order += begin;
			TRY(secondaries_put(into, (enum which)i, &e));
		}
	}
	TRY(prefixes_copy(into, from, begin));
	for (size_t i = 0; i < from->granted.n; i++) {
		TRY(secondaries_take_place(into));
		TRY(secondaries_put_grant(into, &into->granted, from->granted.list[i].key, from->granted.list[i].domain));
	}
	for (size_t i = 0; i < from->signing.n; i++) {
		TRY(secondaries_put_grant(into, &into->signing, from->signing.list[i].key, from->signing.list[i].domain));
	}
	return OK;
}

/* ---- the store ---- */

/* Files that speak of one domain have domains at or above it: the nearest has the longest name, so it is the last in canonical order. */
static int
compare_places(const struct entry *a, const struct entry *b)
{
	int order = name_compare(a->at, b->at);
	return order != 0 ? order : name_compare(b->within, a->within);
}

/* Of one host, keys come before addresses, so that neither are in the way of the others. */
static int
compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = compare_places(a, b);
	order = order != 0 ? order : (a->name == NULL) - (b->name == NULL);
	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static int
compare_grants(const void *left, const void *right)
{
	const struct secondary_grant *a = left, *b = right;
	int order = name_compare(a->key, b->key);
	return order != 0 ? order : name_compare(a->domain, b->domain);
}

/* Each once. */
static void
sort_grants(struct grants *g)
{
	size_t n = 0;
	if (g->n > 1) {
		qsort(g->list, g->n, sizeof *g->list, compare_grants);
	}
	for (size_t i = 0; i < g->n; i++) {
		if (n == 0 || compare_grants(&g->list[n - 1], &g->list[i]) != 0) {
			g->list[n++] = g->list[i];
		}
	}
	g->n = n;
}

void
secondaries_seal(struct secondaries *s)
{
	for (size_t i = 0; i < WHICH_COUNT; i++) {
		if (s->entries[i].n > 1) {
			qsort(s->entries[i].list, s->entries[i].n, sizeof(struct entry), compare_entries);
		}
	}
	prefixes_seal(&s->prefixes);
	domains_seal(&s->shut);
	sort_grants(&s->granted);
	sort_grants(&s->signing);
	s->is_sealed = true;
}

size_t
secondaries_count(const struct secondaries *s)
{
	return s != NULL ? s->n : 0;
}

static size_t
list_octets(size_t cap, size_t size)
{
	return cap != 0 ? alloc_octets(cap * size) : 0;
}

size_t
secondaries_octets(const struct secondaries *s)
{
	if (s == NULL) {
		return 0;
	}
	size_t octets = alloc_octets(sizeof *s) + s->names.used;
	for (size_t i = 0; i < WHICH_COUNT; i++) {
		octets += list_octets(s->entries[i].cap, sizeof(struct entry));
	}
	octets += list_octets(s->granted.cap, sizeof(struct secondary_grant)) + list_octets(s->signing.cap, sizeof(struct secondary_grant));
	return octets + list_octets(s->prefixes.cap, sizeof(struct prefix)) + list_octets(s->shut.cap, sizeof(const uint8_t *));
}

/* ---- looking up ---- */

/* Entries of the store that are side by side. */
struct range {
	const struct entry *first;
	size_t n;
};

static int
compare_with(const struct entry *e, const uint8_t *at, const uint8_t *within)
{
	int order = name_compare(e->at, at);
	return order == 0 && within != NULL ? name_compare(within, e->within) : order;
}

/* Index of the first entry from `low` on that is not before the name; `is_past`: that is after it. */
static size_t
bound(const struct entries *all, size_t low, const uint8_t *at, const uint8_t *within, bool is_past)
{
	size_t high = all->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (compare_with(&all->list[mid], at, within) < is_past) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low;
}

/* Those at the name; `within` not NULL: of files for that domain alone.  There may be 200,000, so they are not counted one by one. */
static struct range
find_at(const struct secondaries *s, enum which which, const uint8_t *at, const uint8_t *within)
{
	const struct entries *all = &s->entries[which];
	size_t first = bound(all, 0, at, within, false);
	bool is_any = first < all->n && compare_with(&all->list[first], at, within) == 0;
	return (struct range){
		.first = first < all->n ? &all->list[first] : NULL,
		.n = is_any ? bound(all, first, at, within, true) - first : 0,
	};
}

size_t
secondaries_grants_n(const struct secondaries *s)
{
	return s != NULL ? s->granted.n : 0;
}

const struct secondary_grant *
secondaries_grant(const struct secondaries *s, size_t i)
{
	return &s->granted.list[i];
}

static int
compare_key(const void *key, const void *grant)
{
	return name_compare(key, ((const struct secondary_grant *)grant)->key);
}

static bool
has_key(const struct grants *g, const uint8_t *key)
{
	return g->n != 0 && bsearch(key, g->list, g->n, sizeof *g->list, compare_key) != NULL;
}

bool
secondaries_name_key(const struct secondaries *s, const uint8_t *key)
{
	return s != NULL && (has_key(&s->granted, key) || has_key(&s->signing, key));
}

void
secondaries_notified(const struct secondaries *s, const uint8_t *zone, bool (*each)(void *ctx, const uint8_t *host, uint16_t port),
                     void *ctx)
{
	for (const uint8_t *domain = zone; s != NULL && domain != NULL; domain = domain_above(domain)) {
		struct range r = find_at(s, NOTIFIED, domain, NULL);
		for (size_t i = 0; i < r.n; i++) {
			if (!each(ctx, r.first[i].name, r.first[i].port)) {
				return;
			}
		}
	}
}

/* What the nearest file says of the host. */
static struct range
find_host(const struct secondaries *s, const uint8_t *zone, const uint8_t *host)
{
	struct range r = { .n = 0 };
	for (const uint8_t *domain = zone; s != NULL && domain != NULL && r.n == 0; domain = domain_above(domain)) {
		r = find_at(s, HOSTS, host, domain);
	}
	return r;
}

/* How many of the entries of a host are keys: these come first. */
static size_t
keys_in(const struct range *r)
{
	size_t low = 0, high = r->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		low = r->first[mid].name != NULL ? mid + 1 : low;
		high = r->first[mid].name != NULL ? high : mid;
	}
	return low;
}

size_t
secondaries_addresses(const struct secondaries *s, const uint8_t *zone, const uint8_t *host, struct key_address *out, size_t cap)
{
	struct range r = find_host(s, zone, host);
	size_t skip = keys_in(&r), n = r.n - skip;
	for (size_t i = 0; i < n && i < cap; i++) {
		out[i] = r.first[skip + i].address;
	}
	return n;
}

size_t
secondaries_keys(const struct secondaries *s, const uint8_t *zone, const uint8_t *host, const uint8_t **out, size_t cap)
{
	struct range r = find_host(s, zone, host);
	size_t n = keys_in(&r);
	for (size_t i = 0; i < n && i < cap; i++) {
		out[i] = r.first[i].name;
	}
	return n;
}

/* ---- what is new ---- */

/* What one file says at one place. */
static struct range
run_at(const struct entries *of, size_t i)
{
	struct range r = { .first = i < of->n ? &of->list[i] : NULL };
	while (i + r.n < of->n && compare_places(r.first, &r.first[r.n]) == 0) {
		r.n++;
	}
	return r;
}

static bool
is_same(const struct range *a, const struct range *b)
{
	size_t i = 0;
	while (i < a->n && i < b->n) {
		const struct entry *x = &a->first[i], *y = &b->first[i];
		bool is_same_name = x->name == NULL || y->name == NULL ? x->name == y->name : name_is_equal(x->name, y->name);
		if (!is_same_name || x->port != y->port || !key_address_is_equal(&x->address, &y->address)) {
			return false;
		}
		i++;
	}
	return a->n == b->n;
}

static void
find_changed(enum which which, const struct entries *before, const struct entries *now, secondaries_each_domain *each, void *ctx)
{
	for (size_t i = 0, k = 0; i < before->n || k < now->n;) {
		struct range was = run_at(before, i), is = run_at(now, k);
		int order = was.n == 0 ? 1 : is.n == 0 ? -1 : compare_places(was.first, is.first);
		const struct entry *e = order < 0 ? was.first : is.first;
		if (order != 0 || !is_same(&was, &is)) {
			each(ctx, which == HOSTS ? e->within : e->at);
		}
		i += order <= 0 ? was.n : 0;
		k += order >= 0 ? is.n : 0;
	}
}

void
secondaries_changed(const struct secondaries *before, const struct secondaries *now, secondaries_each_domain *each, void *ctx)
{
	static const struct secondaries nothing;
	before = before != NULL ? before : &nothing;
	now = now != NULL ? now : &nothing;
	find_changed(NOTIFIED, &before->entries[NOTIFIED], &now->entries[NOTIFIED], each, ctx);
	find_changed(HOSTS, &before->entries[HOSTS], &now->entries[HOSTS], each, ctx);
}

void
secondaries_signers(const struct secondaries *s, void (*each)(void *ctx, const uint8_t *key, const uint8_t *domain), void *ctx)
{
	for (size_t i = 0; s != NULL && i < s->entries[HOSTS].n; i++) {
		const struct entry *e = &s->entries[HOSTS].list[i];
		if (e->name != NULL) {
			each(ctx, e->name, e->within);
		}
	}
}

/* ---- keys that are nowhere ---- */

static void
find_unknown(const uint8_t *owner, const uint8_t *key, struct findings *out)
{
	char name[NAME_TEXT_MAX];
	size_t len = name_show(key, name);
	findings_add(out, DIAG_WARNING, "secondary-key-unknown", owner, TYPE_PTR, key, (uint16_t)name_len(key),
	             "keys go into _keys or NAME._keys; a key's name is written with a dot at its end",
	             "no keys file has the key %.255s", secret_is_in(name, len) ? "that is named here" : name);
}

void
secondaries_find_unknown(const struct secondaries *s, const struct keystore *keys, struct findings *out)
{
	static const uint8_t label[] = "\11_transfer"; /* without a root label */
	for (size_t i = 0; i < secondaries_grants_n(s); i++) {
		const struct secondary_grant *g = &s->granted.list[i];
		struct name owner;
		if (keystore_find(keys, g->key) == NULL && name_join(label, sizeof label - 1, g->domain, &owner) == OK) {
			find_unknown(owner.oct, g->key, out);
		}
	}
	for (size_t i = 0; s != NULL && i < s->signing.n; i++) {
		if (keystore_find(keys, s->signing.list[i].key) == NULL) {
			find_unknown(s->signing.list[i].domain, s->signing.list[i].key, out);
		}
	}
}
