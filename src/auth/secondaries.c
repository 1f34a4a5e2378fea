#include "auth/secondaries.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/keys.h"
#include "auth/notify_policy.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/cur.h"
#include "dns/rrtype.h"
#include "dns/secret.h"

enum { AFI_IPV4 = 1, AFI_IPV6 = 2 };

/* What a record says; of an APL one item. */
struct entry {
	const uint8_t *at;          /* by what it is looked up: the domain it counts for, or the host */
	const uint8_t *within;      /* the file's domain */
	const uint8_t *name;        /* the host to be told, or the host's key; NULL: neither */
	struct key_address address; /* the prefix's, or the host's; family 0: none */
	uint8_t prefix_len;
	bool is_not;
	uint16_t port;
	size_t order;               /* that it came in: of one file's records the first comes first */
};

struct entries {
	struct entry *list; /* owned; sorted once sealed */
	size_t n, cap;
};

enum which { PREFIXES, NOTIFIED, HOSTS, WHICH_COUNT };

struct grants {
	struct secondary_grant *list; /* owned; likewise */
	size_t n, cap;
};

struct secondaries {
	struct entries entries[WHICH_COUNT];
	struct grants granted;
	struct grants signing; /* keys of hosts: `domain` is the host */
	size_t n;              /* records */
	size_t order_end;      /* no entry has it, nor a larger one */
	struct arena names;
	const uint8_t *last_at, *last_within, *last_name; /* copied last: the next record often has the same */
	bool is_sealed;
};

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
	free((*s)->granted.list);
	free((*s)->signing.list);
	arena_fini(&(*s)->names);
	free_ptr(s);
}

/* ---- what goes in ---- */

/* The store's own copy of a name; NULL: no memory. */
static const uint8_t *
keep(struct secondaries *s, const uint8_t **last, const uint8_t *name)
{
	if (*last == NULL || !name_is_equal(*last, name)) {
		*last = arena_copy(&s->names, name, name_len(name));
	}
	return *last;
}

/* Takes the place of one record. */
static err_t
take_place(struct secondaries *s)
{
	ASSERT(!s->is_sealed);
	if (s->n == SECONDARIES_MAX) {
		return E_LIMIT;
	}
	s->n++;
	return OK;
}

static err_t
put(struct secondaries *s, enum which which, const struct entry *e)
{
	struct entries *to = &s->entries[which];
	struct entry own = *e;
	TRY(take_place(s));
	own.at = keep(s, &s->last_at, e->at);
	own.within = keep(s, &s->last_within, e->within);
	own.name = e->name != NULL ? keep(s, &s->last_name, e->name) : NULL;
	bool is_kept = own.at != NULL && own.within != NULL && (e->name == NULL || own.name != NULL);
	if (!is_kept || !try_room(&to->list, sizeof *to->list, to->n, &to->cap)) {
		return E_NOMEM;
	}
	to->list[to->n++] = own;
	return OK;
}

static err_t
put_grant(struct secondaries *s, struct grants *to, const uint8_t *key, const uint8_t *domain)
{
	struct secondary_grant own = { .key = keep(s, &s->last_name, key), .domain = keep(s, &s->last_at, domain) };
	if (own.key == NULL || own.domain == NULL || !try_room(&to->list, sizeof *to->list, to->n, &to->cap)) {
		return E_NOMEM;
	}
	to->list[to->n++] = own;
	return OK;
}

/* ---- records out of files ---- */

/* One record while it is looked at. */
struct record {
	const struct master_rr *rr;
	const uint8_t *within;
	struct findings *out;
};

[[gnu::format(printf, 5, 6)]] static void
find(const struct record *r, enum diag_level level, const char *code, const char *hint, const char *format, ...)
{
	const struct master_rr *rr = r->rr;
	char text[DIAG_TEXT_MAX];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	findings_add(r->out, level, code, rr->owner, rr->type, rr->rdata, rr->rdlen, hint, "%s", text);
}

static bool
is_label(const uint8_t *name, const char *word)
{
	size_t len = strlen(word);
	return name[0] == len && strncasecmp((const char *)name + 1, word, len) == 0;
}

enum place { AT_HOST, AT_TRANSFER, AT_NOTIFY };

static enum place
place_of(const uint8_t *owner)
{
	return is_label(owner, "_transfer") ? AT_TRANSFER : is_label(owner, "_notify") ? AT_NOTIFY : AT_HOST;
}

/* Does the record's type go with its owner? */
static bool
is_at(const struct record *r, enum place wanted)
{
	static const char *const places[] = { [AT_HOST] = "a host", [AT_TRANSFER] = "_transfer", [AT_NOTIFY] = "_notify" };
	enum place place = place_of(r->rr->owner);
	char type[RRTYPE_TEXT_MAX];
	if (place != wanted) {
		find(r, DIAG_ERROR, "secondary-owner",
		     "_transfer has APL and PTR records, _notify SRV records, a host A, AAAA and PTR records",
		     "%s record at %s, where it means nothing", rrtype_print(r->rr->type, type), places[place]);
	}
	return place == wanted;
}

/* Does what follows `_transfer` or `_notify` belong to the file? */
static bool
is_within(const struct record *r)
{
	const uint8_t *domain = name_parent(r->rr->owner);
	char shown[NAME_TEXT_MAX], within[NAME_TEXT_MAX];
	bool is_fine = name_is_within(domain, r->within);
	if (!is_fine) {
		(void)name_show(domain, shown);
		(void)name_show(r->within, within);
		find(r, DIAG_ERROR, "secondary-domain", "what is about every zone goes into the file _secondaries",
		     "%.200s does not belong to %.200s", shown, within);
	}
	return is_fine;
}

static bool
is_named(const struct record *r, const uint8_t *name, const char *code, const char *what)
{
	if (name_is_root(name)) {
		find(r, DIAG_ERROR, code, "a name that is not within the file's domain ends in a dot", "\".\" is no %s", what);
	}
	return !name_is_root(name);
}

/* The name that the RDATA is from there on; NULL: it is none. */
static const uint8_t *
read_name(const struct record *r, size_t at, struct name *out)
{
	struct cur c = cur_over(r->rr->rdata, r->rr->rdlen);
	(void)cur_take(&c, at);
	name_read_plain(&c, out);
	return c.err == OK && cur_left(&c) == 0 ? out->oct : NULL;
}

/* ---- prefixes ---- */

/* The next item of an APL (RFC 3123 4).  False: there is none. */
static bool
next_prefix(struct cur *c, struct entry *e)
{
	if (cur_left(c) == 0) {
		return false;
	}
	unsigned afi = cur_u16(c);
	e->prefix_len = cur_u8(c);
	unsigned n = cur_u8(c);
	const uint8_t *octets = cur_take(c, n & 0x7F);
	e->is_not = (n & 0x80) != 0;
	e->address = (struct key_address){ .family = afi == AFI_IPV4 ? 4 : afi == AFI_IPV6 ? 6 : 0 };
	size_t max = afi == AFI_IPV4 ? 4 : 16;
	bool is_known = e->address.family != 0;
	if (is_known && ((n & 0x7F) > max || e->prefix_len > max * 8)) {
		cur_fail(c, E_FORMAT);
	}
	if (is_known && c->err == OK) {
		memcpy(e->address.octets, octets, n & 0x7F);
	}
	return c->err == OK;
}

static bool
has_bit(const struct key_address *a, unsigned bit)
{
	return (a->octets[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

/* Does it say more than its length lets count? */
static bool
has_rest(const struct entry *e)
{
	unsigned bits = e->address.family == 4 ? 32 : 128, i = e->prefix_len;
	while (i < bits && !has_bit(&e->address, i)) {
		i++;
	}
	return i < bits;
}

/* All items are looked at before the first is taken. */
static bool
are_prefixes_fine(const struct record *r)
{
	struct cur c = cur_over(r->rr->rdata, r->rr->rdlen);
	struct entry e;
	unsigned nth = 0, rest = 0;
	while (next_prefix(&c, &e)) {
		nth++;
		if (e.address.family == 0) {
			find(r, DIAG_ERROR, "secondary-family", "1 is IPv4, 2 is IPv6", "prefix %u is of another family of addresses", nth);
			return false;
		}
		rest = rest == 0 && has_rest(&e) ? nth : rest;
	}
	if (rest != 0) {
		find(r, DIAG_WARNING, "secondary-prefix", "a single address is ADDRESS/32, or ADDRESS/128 of IPv6",
		     "the address of prefix %u has more than its length lets count: all addresses of the prefix are meant", rest);
	}
	return c.err == OK;
}

static err_t
add_prefixes(struct secondaries *s, const struct record *r)
{
	struct entry e = { .within = r->within };
	struct cur c = cur_over(r->rr->rdata, r->rr->rdlen);
	if (!is_at(r, AT_TRANSFER) || !is_within(r) || !are_prefixes_fine(r)) {
		return OK;
	}
	e.at = name_parent(r->rr->owner);
	while (next_prefix(&c, &e)) {
		e.order = s->order_end++;
		TRY(put(s, PREFIXES, &e));
	}
	return OK;
}

/* ---- keys, hosts to be told, addresses ---- */

static err_t
add_key(struct secondaries *s, const struct record *r)
{
	enum place place = place_of(r->rr->owner);
	struct name name;
	const uint8_t *key = read_name(r, 0, &name), *owner = r->rr->owner;
	if (place == AT_NOTIFY && !is_at(r, AT_HOST)) {
		return OK;
	}
	if (key == NULL || !is_named(r, key, "secondary-key", "key")) {
		return OK;
	}
	if (place == AT_TRANSFER) {
		if (!is_within(r)) {
			return OK;
		}
		TRY(take_place(s));
		return put_grant(s, &s->granted, key, name_parent(owner));
	}
	if (!is_named(r, owner, "secondary-host", "host")) {
		return OK;
	}
	TRY(put(s, HOSTS, &(struct entry){ .at = owner, .within = r->within, .name = key, .order = s->order_end++ }));
	return put_grant(s, &s->signing, key, owner);
}

/* RFC 2782: priority, weight, port, target. */
static err_t
add_notified(struct secondaries *s, const struct record *r)
{
	struct cur c = cur_over(r->rr->rdata, r->rr->rdlen);
	struct name name;
	(void)cur_u32(&c);
	uint16_t port = cur_u16(&c);
	const uint8_t *host = read_name(r, c.pos, &name);
	if (host == NULL || !is_at(r, AT_NOTIFY) || !is_within(r) || !is_named(r, host, "secondary-host", "host")) {
		return OK;
	}
	if (port == 0) {
		find(r, DIAG_ERROR, "secondary-port", "such a record is: _notify SRV 0 0 PORT HOST; the port is 53 as a rule",
		     "nobody is to be reached at port 0");
		return OK;
	}
	return put(s, NOTIFIED, &(struct entry){ .at = name_parent(r->rr->owner), .within = r->within, .name = host, .port = port,
	                                         .order = s->order_end++ });
}

static err_t
add_address(struct secondaries *s, const struct record *r)
{
	struct entry e = { .at = r->rr->owner, .within = r->within };
	e.address.family = r->rr->type == TYPE_A ? 4 : 6;
	if (r->rr->rdlen != (e.address.family == 4 ? 4 : 16) || !is_at(r, AT_HOST) ||
	    !is_named(r, r->rr->owner, "secondary-host", "host")) {
		return OK;
	}
	memcpy(e.address.octets, r->rr->rdata, r->rr->rdlen);
	if (!notify_is_unicast(&e.address)) {
		find(r, DIAG_ERROR, "secondary-address", "the address at which the secondary listens is wanted",
		     "nobody can be told at this address");
		return OK;
	}
	e.order = s->order_end++;
	return put(s, HOSTS, &e);
}

err_t
secondaries_add(struct secondaries *s, const struct master_rr *rr, const uint8_t *within, struct findings *out)
{
	const struct record r = { .rr = rr, .within = within, .out = out };
	char type[RRTYPE_TEXT_MAX];
	switch (rr->type) {
	case TYPE_APL:
		return add_prefixes(s, &r);
	case TYPE_PTR:
		return add_key(s, &r);
	case TYPE_SRV:
		return add_notified(s, &r);
	case TYPE_A:
	case TYPE_AAAA:
		return add_address(s, &r);
	default:
		find(&r, DIAG_ERROR, "not-a-secondary", "such a file holds APL, PTR, SRV, A and AAAA records, and nothing else",
		     "%s record in a file of secondaries", rrtype_print(rr->type, type));
		return OK;
	}
}

err_t
secondaries_merge(struct secondaries *into, const struct secondaries *from)
{
	const size_t begin = into->order_end;
	into->order_end += from->order_end;
	for (size_t i = 0; i < WHICH_COUNT; i++) {
		for (size_t k = 0; k < from->entries[i].n; k++) {
			struct entry e = from->entries[i].list[k];
			e.order += begin;
			TRY(put(into, (enum which)i, &e));
		}
	}
	for (size_t i = 0; i < from->granted.n; i++) {
		TRY(take_place(into));
		TRY(put_grant(into, &into->granted, from->granted.list[i].key, from->granted.list[i].domain));
	}
	for (size_t i = 0; i < from->signing.n; i++) {
		TRY(put_grant(into, &into->signing, from->signing.list[i].key, from->signing.list[i].domain));
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

static int
compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = compare_places(a, b);
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
	sort_grants(&s->granted);
	sort_grants(&s->signing);
	s->is_sealed = true;
}

size_t
secondaries_count(const struct secondaries *s)
{
	return s != NULL ? s->n : 0;
}

/* ---- looking up ---- */

/* Entries of the store that are side by side. */
struct range {
	const struct entry *first;
	size_t n;
};

/* Those at the name; `within` not NULL: of files for that domain alone. */
static struct range
find_at(const struct secondaries *s, enum which which, const uint8_t *at, const uint8_t *within)
{
	const struct entries *all = &s->entries[which];
	size_t low = 0, high = all->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct entry *e = &all->list[mid];
		int order = name_compare(e->at, at);
		order = order == 0 && within != NULL ? name_compare(within, e->within) : order;
		if (order < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	struct range r = { .first = low < all->n ? &all->list[low] : NULL };
	while (low + r.n < all->n && name_is_equal(r.first[r.n].at, at) &&
	       (within == NULL || name_is_equal(r.first[r.n].within, within))) {
		r.n++;
	}
	return r;
}

/* The domain around a domain; NULL: that was the root. */
static const uint8_t *
above(const uint8_t *domain)
{
	return name_is_root(domain) ? NULL : name_parent(domain);
}

static bool
has_prefix(const struct key_address *a, const struct entry *e)
{
	unsigned whole = e->prefix_len / 8u, rest = e->prefix_len % 8u;
	if (a->family != e->address.family || memcmp(a->octets, e->address.octets, whole) != 0) {
		return false;
	}
	return rest == 0 || (a->octets[whole] ^ e->address.octets[whole]) >> (8 - rest) == 0;
}

bool
secondaries_may_transfer(const struct secondaries *s, const uint8_t *zone, const struct key_address *a)
{
	for (const uint8_t *domain = zone; s != NULL && domain != NULL; domain = above(domain)) {
		struct range r = find_at(s, PREFIXES, domain, NULL);
		for (size_t i = 0; i < r.n; i++) {
			if (has_prefix(a, &r.first[i])) {
				return !r.first[i].is_not;
			}
		}
	}
	return false;
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

static bool
has_key(const struct grants *g, const uint8_t *key)
{
	size_t low = 0, high = g->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (name_compare(g->list[mid].key, key) < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low < g->n && name_is_equal(g->list[low].key, key);
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
	for (const uint8_t *domain = zone; s != NULL && domain != NULL; domain = above(domain)) {
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
	for (const uint8_t *domain = zone; s != NULL && domain != NULL && r.n == 0; domain = above(domain)) {
		r = find_at(s, HOSTS, host, domain);
	}
	return r;
}

size_t
secondaries_addresses(const struct secondaries *s, const uint8_t *zone, const uint8_t *host, struct key_address *out, size_t cap)
{
	struct range r = find_host(s, zone, host);
	size_t n = 0;
	for (size_t i = 0; i < r.n; i++) {
		if (r.first[i].address.family != 0 && n++ < cap) {
			out[n - 1] = r.first[i].address;
		}
	}
	return n;
}

size_t
secondaries_keys(const struct secondaries *s, const uint8_t *zone, const uint8_t *host, const uint8_t **out, size_t cap)
{
	struct range r = find_host(s, zone, host);
	size_t n = 0;
	for (size_t i = 0; i < r.n; i++) {
		if (r.first[i].name != NULL && n++ < cap) {
			out[n - 1] = r.first[i].name;
		}
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
