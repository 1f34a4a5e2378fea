#include "zone/zone_p.h"

#include <string.h>

#include "dns/rdata.h"

static err_t
tell(const struct zone_differ *d, bool is_added, const struct node *n, const struct rrset *s, const struct rr *rr)
{
	struct zone_rr out = zone_rr_of(n, s, rr);
	return d->each(d->ctx, is_added, &out);
}

static err_t
tell_rrset(const struct zone_differ *d, bool is_added, const struct node *n, const struct rrset *s)
{
	const struct rr *rr = rrset_first(s);
	for (unsigned left = s->n; left != 0; left--, rr = rr_next(rr)) {
		TRY(tell(d, is_added, n, s, rr));
	}
	return OK;
}

static err_t
tell_node(const struct zone_differ *d, bool is_added, const struct node *n)
{
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		TRY(tell_rrset(d, is_added, n, s));
	}
	return OK;
}

/* An RRset within its node. */
struct of_node {
	const struct node *node;
	const struct rrset *set;
};

/* Reports records of `one` that are not in `other`; both are sorted. */
static err_t
tell_missing(const struct zone_differ *d, bool is_added, struct of_node one, struct of_node other)
{
	const struct rr *a = rrset_first(one.set), *b = rrset_first(other.set);
	unsigned b_left = other.set->n;
	for (unsigned left = one.set->n; left != 0; left--, a = rr_next(a)) {
		int order = 1;
		while (b_left != 0 && (order = rdata_compare(one.set->type, b->rdata, b->rdlen, a->rdata, a->rdlen)) < 0) {
			b = rr_next(b);
			b_left--;
		}
		if (b_left == 0 || order != 0) {
			TRY(tell(d, is_added, one.node, one.set, a));
		}
	}
	return OK;
}

static err_t
diff_rrsets(const struct zone_differ *d, struct of_node old, struct of_node new)
{
	if (!d->ignores_ttl && rrset_ttl(old.set) != rrset_ttl(new.set)) {
		TRY(tell_rrset(d, false, old.node, old.set));
		return tell_rrset(d, true, new.node, new.set);
	}
	if (old.set->size == new.set->size && memcmp(old.set, new.set, old.set->size) == 0) {
		return OK;
	}
	TRY(tell_missing(d, false, old, new));
	return tell_missing(d, true, new, old);
}

static int
rrset_order(const struct rrset *a, const struct rrset *b)
{
	return a->type != b->type ? (int)a->type - (int)b->type : (int)a->covers - (int)b->covers;
}

err_t
zone_diff_nodes(const struct zone_differ *d, const struct node *old, const struct node *new)
{
	if (old == new) {
		return OK; /* versions share unchanged nodes */
	}
	if (old == NULL || new == NULL) {
		return tell_node(d, old == NULL, old == NULL ? new : old);
	}
	const struct rrset *a = node_first(old), *b = node_first(new);
	unsigned a_left = old->rrsets, b_left = new->rrsets;
	while (a_left != 0 || b_left != 0) {
		int order = a_left == 0 ? 1 : b_left == 0 ? -1 : rrset_order(a, b);
		if (order < 0) {
			TRY(tell_rrset(d, false, old, a));
		} else if (order > 0) {
			TRY(tell_rrset(d, true, new, b));
		} else {
			TRY(diff_rrsets(d, (struct of_node){ old, a }, (struct of_node){ new, b }));
		}
		if (order <= 0) {
			a = rrset_next(a);
			a_left--;
		}
		if (order >= 0) {
			b = rrset_next(b);
			b_left--;
		}
	}
	return OK;
}

/* A cursor with its present node. */
struct side {
	struct zone_cursor cursor;
	const struct node *node; /* NULL at the end */
	bool is_nsec3;
};

static void
side_next(struct side *s)
{
	s->node = zone_cursor_next(&s->cursor, &s->is_nsec3);
}

static int
side_order(const struct side *a, const struct side *b)
{
	if (a->node == NULL || b->node == NULL) {
		return (a->node == NULL) - (b->node == NULL);
	}
	int order = a->node == b->node ? 0 : name_compare(a->node->name, b->node->name);
	return order != 0 ? order : a->is_nsec3 - b->is_nsec3;
}

static err_t
diff_zones(const struct zone_differ *d, const struct zone *old, const struct zone *new)
{
	struct side a, b;
	zone_cursor_first(&a.cursor, old);
	zone_cursor_first(&b.cursor, new);
	side_next(&a);
	side_next(&b);
	while (a.node != NULL || b.node != NULL) {
		int order = side_order(&a, &b);
		TRY(zone_diff_nodes(d, order <= 0 ? a.node : NULL, order >= 0 ? b.node : NULL));
		if (order <= 0) {
			side_next(&a);
		}
		if (order >= 0) {
			side_next(&b);
		}
	}
	return OK;
}

err_t
zone_diff(const struct zone *old, const struct zone *new,
          err_t (*each)(void *ctx, bool is_added, const struct zone_rr *rr), void *ctx)
{
	return diff_zones(&(struct zone_differ){ .each = each, .ctx = ctx }, old, new);
}

static err_t
count_lost(void *ctx, bool is_added, const struct zone_rr *rr)
{
	size_t *lost = ctx;
	(void)rr;
	*lost += !is_added;
	return OK;
}

size_t
zone_lost(const struct zone *old, const struct zone *new)
{
	size_t lost = 0;
	err_t err = diff_zones(&(struct zone_differ){ .each = count_lost, .ctx = &lost, .ignores_ttl = true }, old, new);
	ASSERT(err == OK); /* count_lost() has no errors */
	return lost;
}
