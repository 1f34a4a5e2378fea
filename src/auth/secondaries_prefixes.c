/* Who may transfer zones without a key: prefixes of addresses, by domain.
 *
 * Of two prefixes of a domain one holds the other, or they have no address in common.  Sorted by address, then by length, a prefix stands
 * behind those that hold it.  So a binary search for an address finds the narrowest prefix that holds it, or one from which the links
 * `around` lead there.  Not the narrowest prefix decides, but the first that matches.  Which one that is, is the same for all addresses
 * that have the same narrowest prefix, and is worked out when the store is sealed.
 *
 * Of equal prefixes the first alone is kept.  So all those around a prefix differ in length: with itself they are at most 33 of IPv4, or
 * 129 of IPv6, and no chain of links is longer.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/secondaries_p.h"
#include "base/alloc.h"

/* ---- what goes in ---- */

static void
clear_rest(struct key_address *a, unsigned len)
{
	unsigned whole = len / 8, rest = len % 8;
	if (rest != 0) {
		a->octets[whole++] &= (uint8_t)(0xFF << (8 - rest));
	}
	memset(a->octets + whole, 0, sizeof a->octets - whole);
}

err_t
secondaries_put_prefix(struct secondaries *s, const struct prefix *p)
{
	struct prefixes *to = &s->prefixes;
	struct prefix own = *p;
	TRY(secondaries_take_place(s));
	clear_rest(&own.address, own.len);
	own.at = secondaries_keep(s, &s->last_at, p->at);
	own.within = secondaries_keep(s, &s->last_within, p->within);
	if (own.at == NULL || own.within == NULL || !try_room(&to->list, sizeof *to->list, to->n, &to->cap)) {
		return E_NOMEM;
	}
	to->list[to->n++] = own;
	return OK;
}

err_t
secondaries_shut(struct secondaries *s, const uint8_t *domain)
{
	struct domains *to = &s->shut;
	const uint8_t *own = secondaries_keep(s, &s->last_within, domain);
	ASSERT(!s->is_sealed);
	if (own == NULL || !try_room(&to->list, sizeof *to->list, to->n, &to->cap)) {
		return E_NOMEM;
	}
	to->list[to->n++] = own;
	return OK;
}

err_t
prefixes_copy(struct secondaries *into, const struct secondaries *from, size_t order_begin)
{
	for (size_t i = 0; i < from->prefixes.n; i++) {
		struct prefix p = from->prefixes.list[i];
		p.order += order_begin;
		TRY(secondaries_put_prefix(into, &p));
	}
	for (size_t i = 0; i < from->shut.n; i++) {
		TRY(secondaries_shut(into, from->shut.list[i]));
	}
	return OK;
}

err_t
secondaries_replace_addresses(struct secondaries *s, const struct secondaries *last, const uint8_t *domain)
{
	const size_t begin = s->order_end;
	s->n -= s->prefixes.n;
	s->prefixes.n = 0;
	if (last == NULL) {
		return secondaries_shut(s, domain);
	}
	s->order_end += last->order_end;
	return prefixes_copy(s, last, begin);
}

/* ---- the order ---- */

static int
compare_domains(const uint8_t *a, const uint8_t *b)
{
	return a == b ? 0 : name_compare(a, b);
}

static int
compare_places(const struct prefix *a, const struct prefix *b)
{
	int order = compare_domains(a->at, b->at);
	order = order != 0 ? order : a->address.family - b->address.family;
	order = order != 0 ? order : memcmp(a->address.octets, b->address.octets, sizeof a->address.octets);
	return order != 0 ? order : a->len - b->len;
}

/* Which of two prefixes of a domain counts first: that of the nearest file, then that which comes first in the file.  Files that speak of
 * one domain have domains at or above it: the nearest has the longest name, so it is the last in canonical order. */
static int
compare_turns(const struct prefix *a, const struct prefix *b)
{
	int order = compare_domains(b->within, a->within);
	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static int
compare_prefixes(const void *left, const void *right)
{
	int order = compare_places(left, right);
	return order != 0 ? order : compare_turns(left, right);
}

static bool
has_address(const struct prefix *p, const struct key_address *a)
{
	unsigned whole = p->len / 8u, rest = p->len % 8u;
	if (a->family != p->address.family || memcmp(a->octets, p->address.octets, whole) != 0) {
		return false;
	}
	return rest == 0 || (a->octets[whole] ^ p->address.octets[whole]) >> (8 - rest) == 0;
}

static bool
holds(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && has_address(outer, &inner->address) && compare_domains(outer->at, inner->at) == 0;
}

/* Of equal prefixes only the first counts, and sorting has put that first. */
static void
drop_repeated(struct prefixes *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++) {
		if (n == 0 || compare_places(&p->list[n - 1], &p->list[i]) != 0) {
			p->list[n++] = p->list[i];
		}
	}
	p->n = n;
}

/* What holds the prefix before also holds this one, or nothing that follows: each link is followed once. */
static uint32_t
find_around(const struct prefix *list, uint32_t i)
{
	uint32_t k = i != 0 ? i - 1 : i;
	while (k != i && !holds(&list[k], &list[i])) {
		k = list[k].around != k ? list[k].around : i;
	}
	return k;
}

void
prefixes_seal(struct prefixes *p)
{
	if (p->n > 1) {
		qsort(p->list, p->n, sizeof *p->list, compare_prefixes);
	}
	drop_repeated(p);
	for (uint32_t i = 0; i < p->n; i++) {
		struct prefix *e = &p->list[i];
		e->around = e->decider = find_around(p->list, i);
		if (e->around != i) {
			e->decider = p->list[e->around].decider;
		}
		if (compare_turns(e, &p->list[e->decider]) < 0) {
			e->decider = i;
		}
	}
}

static int
compare_shut(const void *a, const void *b)
{
	return name_compare(*(const uint8_t *const *)a, *(const uint8_t *const *)b);
}

void
domains_seal(struct domains *d)
{
	if (d->n > 1) {
		qsort(d->list, d->n, sizeof(const uint8_t *), compare_shut);
	}
}

/* ---- looking up ---- */

bool
secondaries_is_shut(const struct secondaries *s, const uint8_t *zone)
{
	const uint8_t *domain = s != NULL && s->shut.n != 0 ? zone : NULL;
	while (domain != NULL && bsearch(&domain, s->shut.list, s->shut.n, sizeof(const uint8_t *), compare_shut) == NULL) {
		domain = domain_above(domain);
	}
	return domain != NULL;
}

/* The narrowest prefix of the domain that holds the address; NULL: there is none. */
static const struct prefix *
find_narrowest(const struct prefixes *p, const uint8_t *domain, const struct key_address *a)
{
	const struct prefix behind = { .at = domain, .address = *a, .len = UINT8_MAX };
	size_t low = 0, high = p->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (compare_places(&p->list[mid], &behind) < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	const struct prefix *e = low != 0 ? &p->list[low - 1] : NULL;
	if (e == NULL || !name_is_equal(e->at, domain)) {
		return NULL;
	}
	while (!has_address(e, a)) {
		const struct prefix *around = &p->list[e->around];
		if (around == e) {
			return NULL;
		}
		e = around;
	}
	return e;
}

bool
secondaries_may_transfer(const struct secondaries *s, const uint8_t *zone, const struct key_address *a)
{
	bool is_open = s != NULL && s->prefixes.n != 0 && !secondaries_is_shut(s, zone);
	for (const uint8_t *domain = zone; is_open && domain != NULL; domain = domain_above(domain)) {
		const struct prefix *narrowest = find_narrowest(&s->prefixes, domain, a);
		if (narrowest != NULL) {
			return !s->prefixes.list[narrowest->decider].is_not;
		}
	}
	return false;
}
