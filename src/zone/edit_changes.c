/* Sorts the changes of a zone, and puts their owners into a hash table, where each record of the text is looked up. */
#include <stdlib.h>
#include <string.h>

#include "dns/rdata.h"
#include "zone/edit_p.h"

enum { OWNERS_CAP_MIN = 1024 }; /* large enough that few other names share a slot with an owner in the table */

/* Hashes the first octets of a name only: they differ for most names of a zone. */
static size_t
hash_of(const uint8_t *name, size_t len)
{
	uint64_t w[2] = { 0 };
	memcpy(w, name, len < sizeof w ? len : sizeof w);
	uint64_t h = (w[0] | UINT64_C(0x2020202020202020)) * UINT64_C(0x9E3779B97F4A7C15);
	h ^= ((w[1] | UINT64_C(0x2020202020202020)) + len) * UINT64_C(0xC2B2AE3D27D4EB4F);
	return (size_t)(h ^ h >> 32);
}

static struct edit_owner **
slot_of(const struct editor *e, const uint8_t *name)
{
	return &e->owners[hash_of(name, name_len(name)) & (e->owners_cap - 1)];
}

struct edit_owner *
edit_owner_find(const struct editor *e, const uint8_t *name)
{
	struct edit_owner *o = *slot_of(e, name);
	while (o != NULL && !name_is_equal(o->name, name)) {
		o = o->next_in_slot;
	}
	return o;
}

/* Like edit_owner_of(), but the name is borrowed. */
static err_t
owner_of(struct editor *e, const uint8_t *name, struct edit_owner **out)
{
	struct edit_owner *o = edit_owner_find(e, name), **slot = slot_of(e, name);
	if (o == NULL) {
		o = arena_alloc(&e->arena, sizeof *o);
		if (o == NULL) {
			return E_NOMEM;
		}
		*o = (struct edit_owner){ .name = name, .next_in_slot = *slot };
		o->end = &o->first;
		*slot = o;
	}
	*out = o;
	return OK;
}

err_t
edit_owner_of(struct editor *e, const uint8_t *name, struct edit_owner **out)
{
	*out = edit_owner_find(e, name);
	if (*out != NULL) {
		return OK;
	}
	const uint8_t *copy = arena_copy(&e->arena, name, name_len(name));
	return copy != NULL ? owner_of(e, copy, out) : E_NOMEM;
}

void
edit_owners_forget_lines(struct editor *e)
{
	for (size_t i = 0; i < e->owners_cap; i++) {
		for (struct edit_owner *o = e->owners[i]; o != NULL; o = o->next_in_slot) {
			o->first = NULL;
			o->end = &o->first;
			o->left_out = o->repeated = 0;
		}
	}
	for (size_t i = 0; i < e->changes_n; i++) {
		e->changes[i].line = NULL;
	}
	for (struct edit_source *s = e->sources; s != NULL; s = s->next) {
		s->opened = s->is_own;
	}
}

static err_t
make_table(struct editor *e)
{
	e->owners_cap = OWNERS_CAP_MIN;
	while (e->owners_cap < 4 * e->in->changes->n) {
		e->owners_cap *= 2;
	}
	e->owners = calloc(e->owners_cap, sizeof *e->owners);
	e->changes = calloc(e->in->changes->n + 1, sizeof *e->changes);
	return e->owners != NULL && e->changes != NULL ? OK : E_NOMEM;
}

/* In the list, all changes of an owner are together, and the owners are in canonical order.  The array keeps this order. */
static err_t
take_all(struct editor *e)
{
	struct edit_owner *last = NULL;
	for (size_t i = 0; i < e->in->changes->n; i++) {
		const struct zone_change *from = &e->in->changes->list[i];
		struct edit_change *c = &e->changes[e->changes_n++];
		TRY(owner_of(e, from->rr.owner, &c->owner));
		c->old = from->is_added ? NULL : &from->rr;
		c->new = from->is_added ? &from->rr : NULL;
		c->covers = edit_covers(from->rr.type, from->rr.rdata, from->rr.rdlen);
		if (c->owner != last) {
			last = c->owner;
			ASSERT(last->n == 0);
			last->changes = c;
			*e->owners_end = last;
			e->owners_end = &last->next;
		}
		last->n++;
	}
	return OK;
}

/* Orders by type, then RDATA (so RRSIGs of one covered type are together); removals come before additions. */
static int
compare_changes(const void *left, const void *right)
{
	const struct edit_change *a = left, *b = right;
	const struct zone_rr *ar = edit_change_rr(a), *br = edit_change_rr(b);
	if (ar->type != br->type) {
		return ar->type < br->type ? -1 : 1;
	}
	int order = rdata_compare(ar->type, ar->rdata, ar->rdlen, br->rdata, br->rdlen);
	return order != 0 ? order : (a->old == NULL) - (b->old == NULL);
}

/* A record that is removed and added again has another TTL: joins the two into one change. */
static void
join_changes(struct edit_owner *o)
{
	size_t n = 0;
	for (size_t i = 0; i < o->n; i++) {
		struct edit_change *c = &o->changes[i], *before = n != 0 ? &o->changes[n - 1] : NULL;
		const struct zone_rr *rr = edit_change_rr(c);
		if (before != NULL && before->new == NULL && c->old == NULL && before->old->type == rr->type &&
		    rdata_compare(rr->type, before->old->rdata, before->old->rdlen, rr->rdata, rr->rdlen) == 0) {
			before->new = c->new;
		} else {
			o->changes[n++] = *c;
		}
	}
	o->n = n;
}

err_t
edit_changes_take(struct editor *e)
{
	e->owners_end = &e->first_owner;
	TRY(make_table(e));
	TRY(take_all(e));
	for (struct edit_owner *o = e->first_owner; o != NULL; o = o->next) {
		qsort(o->changes, o->n, sizeof *o->changes, compare_changes);
		join_changes(o);
		TRY(edit_order_find(e, o));
	}
	return OK;
}

struct edit_change *
edit_change_find(const struct edit_owner *o, uint16_t type, const uint8_t *rdata, uint16_t rdlen)
{
	size_t low = 0, high = o->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct edit_change *c = &o->changes[middle];
		const struct zone_rr *rr = edit_change_rr(c);
		int order = rr->type != type ? (rr->type < type ? -1 : 1)
		                             : rdata_compare(type, rr->rdata, rr->rdlen, rdata, rdlen);
		if (order == 0) {
			return c->old != NULL ? c : NULL;
		}
		low = order < 0 ? middle + 1 : low;
		high = order > 0 ? middle : high;
	}
	return NULL;
}
