#include "zone/zone_builder_p.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "zone/referral.h"

enum { EMPTIES_FREE = 1000 }; /* this many empty non-terminals are allowed in any zone */

/* ---- nodes of stubs ---- */

/* Lists all records of a stub; returns the octets of their RDATA. */
static size_t
gather(const struct stub *stub, struct node_rr *rrs)
{
	size_t n = 0, octets = 0;
	const struct rrset *s = stub->built != NULL ? node_first(stub->built) : NULL;
	for (unsigned left = s != NULL ? stub->built->rrsets : 0; left != 0; left--, s = rrset_next(s)) {
		const struct rr *rr = rrset_first(s);
		for (unsigned i = s->n; i != 0; i--, rr = rr_next(rr)) {
			rrs[n++] = (struct node_rr){
				.type = s->type, .ttl = rrset_ttl(s), .rdlen = rr->rdlen, .rdata = rr->rdata,
			};
			octets += rr->rdlen;
		}
	}
	for (const struct waiting *w = stub->first; w != NULL; w = w->next) {
		rrs[n++] = (struct node_rr){ .type = w->type, .ttl = w->ttl, .rdlen = w->rdlen, .rdata = w->rdata };
		octets += w->rdlen;
	}
	return octets;
}

/* Makes the node of all records of a stub's owner, with the stub's flags. */
static err_t
make_node(struct zone_builder *b, const struct stub *stub, struct node **out)
{
	const uint8_t *owner = stub->node.name;
	uint16_t flags = stub->node.flags & (uint16_t)~STUB;
	size_t n = stub->n + (stub->built != NULL ? zone_node_records(stub->built) : 0);
	TRY(builder_afford(b, n * sizeof(struct node_rr)));
	[[gnu::cleanup(free_ptr)]] struct node_rr *rrs = calloc(n, sizeof *rrs);
	if (rrs == NULL) {
		return E_NOMEM;
	}
	size_t duplicates, ttl_differs;
	TRY(builder_afford_node(b, n, gather(stub, rrs)));
	err_t err = builder_make_node(b, owner, flags, rrs, n, &duplicates, &ttl_differs, out);
	if (err == E_LIMIT) {
		builder_report_too_large(b, owner);
		return builder_make_node(b, owner, flags, NULL, 0, NULL, NULL, out);
	}
	if (err == OK && duplicates + ttl_differs != 0) {
		builder_report_records(b, owner, rrs, n);
	}
	return err;
}

/* Replaces a stub by its node. */
static void
replace_stub(struct zone_builder *b, struct trie_cell *at, struct node *node)
{
	struct stub *stub = stub_of(at->ptr);
	builder_free_node(b, stub->built);
	stub->built = NULL;
	at->ptr = node;
}

/* ---- linking names with those above them ---- */

enum { BELOW_MAX = 32 };

struct linking {
	struct trie_cell *cut;         /* the delegation, a stub, that the walk is at or below; NULL: none */
	struct node *below[BELOW_MAX]; /* the cut itself, and nodes below it; if the array is full, there may be more */
	unsigned below_n;
	struct node *above[NAME_LABELS_MAX + 1]; /* the last visited name and its ancestors, apex first */
	unsigned n;
	struct node **empties; /* empty non-terminals, made on the way; put into the trie after the walk */
	size_t empties_n, empties_cap;
};

/* Sets the flag that a node has because of the node above it (NODE_BELOW_CUT), and the flag that the node above has because of this
 * one (NODE_WILDCARD). */
static void
link_to_parent(struct linking *l, struct node *n)
{
	struct node *parent = l->above[l->n - 1];
	if (zone_hides_below(parent) || (parent->flags & NODE_BELOW_CUT) != 0) {
		n->flags |= NODE_BELOW_CUT;
	}
	if (name_is_wildcard(n->name)) {
		parent->flags |= NODE_WILDCARD;
	}
}

static err_t
keep_empty(struct zone_builder *b, struct linking *l, struct node *n)
{
	if (l->empties_n == l->empties_cap) {
		size_t cap = l->empties_cap != 0 ? l->empties_cap * 2 : 64;
		TRY(builder_afford(b, cap * sizeof(struct node *)));
		struct node **grown = realloc(l->empties, cap * sizeof(struct node *));
		if (grown == NULL) {
			return E_NOMEM;
		}
		l->empties = grown;
		b->list_octets = cap * sizeof(struct node *);
		l->empties_cap = cap;
	}
	l->empties[l->empties_n++] = n;
	return OK;
}

/* Makes the empty non-terminals between the last of `above` and a node below it. */
static err_t
link_empties(struct zone_builder *b, struct linking *l, const struct node *n)
{
	for (;;) {
		size_t parent_len = l->above[l->n - 1]->name_len, len = n->name_len;
		const uint8_t *name = n->name; /* becomes the name with one label more than the parent */
		while (len - 1 - name[0] != parent_len) {
			len -= 1u + name[0];
			name = name_parent(name);
		}
		if (name == n->name) {
			return OK;
		}
		struct node *empty;
		TRY(builder_afford_node(b, 0, 0));
		TRY(builder_make_node(b, name, 0, NULL, 0, NULL, NULL, &empty));
		err_t err = keep_empty(b, l, empty);
		if (err != OK) {
			builder_free_node(b, empty);
			return err;
		}
		link_to_parent(l, empty);
		l->above[l->n++] = empty;
	}
}

/* ---- delegations ---- */

/* A delegation's node is made when the walk has passed all names below it, since then its referral is known: so it is allocated
 * once, and leaves no holes in memory. */

static const struct node *
find_below_cut(void *ctx, const uint8_t *name, size_t len)
{
	const struct linking *l = ctx;
	for (unsigned i = 0; i < l->below_n; i++) {
		if (l->below[i]->name_len == len && nkey_octets_are_equal(l->below[i]->name, name, len)) {
			return l->below[i];
		}
	}
	return NULL;
}

static const struct node *
find_anywhere(void *ctx, const uint8_t *name, size_t len)
{
	struct nkey key;
	(void)len;
	nkey_set(&key, name);
	return trie_get(ctx, &key);
}

/* Makes the node with its referral, if it gets one. */
static err_t
make_cut(struct zone_builder *b, struct linking *l, struct node *plain, struct node **out)
{
	struct referral_draft draft;
	bool is_few = l->below_n < BELOW_MAX;
	*out = plain;
	l->below[0] = plain; /* the cut may be the name of its own name server */
	if (!referral_draft(plain, b->zone->apex_len, is_few ? find_below_cut : find_anywhere,
	                    is_few ? (void *)l : (void *)&b->nodes.in.now, &draft)) {
		return OK;
	}
	TRY(referral_attach(plain, &draft, out));
	b->node_octets += alloc_octets((*out)->size);
	builder_free_node(b, plain);
	return OK;
}

static err_t
finish_cut(struct zone_builder *b, struct linking *l)
{
	struct trie_cell *at = l->cut;
	l->cut = NULL;
	struct node *node;
	TRY(make_node(b, stub_of(at->ptr), &node));
	replace_stub(b, at, node);
	TRY(make_cut(b, l, node, &node));
	at->ptr = node;
	builder_check_node(b, node);
	return OK;
}

/* Finishes the delegation whose names the walk has passed, if it was in one. */
static err_t
leave_cut(struct zone_builder *b, struct linking *l)
{
	return l->cut != NULL ? finish_cut(b, l) : OK;
}

/* ---- the walk ---- */

static err_t
link_node(struct zone_builder *b, struct linking *l, struct node *n)
{
	if (n->name_len == b->zone->apex_len) {
		n->flags |= NODE_APEX;
	}
	if (l->n != 0) {
		const struct node *above = l->above[l->n - 1];
		while (!zone_is_name_within(n->name, n->name_len, above->name, above->name_len)) {
			above = l->above[--l->n - 1]; /* ends at the apex at the latest, since every name is within it */
		}
		TRY(link_empties(b, l, n));
		link_to_parent(l, n);
	}
	l->above[l->n++] = n;
	return OK;
}

/* Visits a node or a stub in the trie. */
static err_t
visit(struct zone_builder *b, struct linking *l, struct trie_cell *at)
{
	struct node *n = at->ptr;
	TRY(link_node(b, l, n));
	bool is_hidden = (n->flags & NODE_BELOW_CUT) != 0;
	if (!is_hidden) {
		TRY(leave_cut(b, l));
	}
	if ((n->flags & STUB) != 0) {
		if (!is_hidden && (n->flags & NODE_CUT) != 0) {
			l->cut = at;
			l->below_n = 1; /* for the cut itself, when it is made */
			return OK;
		}
		TRY(make_node(b, stub_of(n), &n));
		replace_stub(b, at, n);
		l->above[l->n - 1] = n;
	}
	if (is_hidden && l->cut != NULL && l->below_n < BELOW_MAX) {
		l->below[l->below_n++] = n;
	}
	builder_check_node(b, n);
	return OK;
}

static err_t
visit_nsec3(struct zone_builder *b)
{
	struct trie_iter it;
	struct node *n;
	trie_iter_first(&it, &b->nsec3.in.now);
	while ((n = trie_iter_next(&it)) != NULL) {
		if ((n->flags & STUB) != 0) {
			TRY(make_node(b, stub_of(n), &n));
			replace_stub(b, trie_iter_cell(&it), n);
		}
		builder_check_node(b, n);
	}
	return OK;
}

static err_t
put_empties(struct zone_builder *b, struct linking *l)
{
	while (l->empties_n != 0) {
		void *old;
		TRY(builder_afford(b, 0));
		TRY(trie_put(&b->nodes.in, l->empties[l->empties_n - 1], &old));
		ASSERT(old == NULL);
		l->empties_n--;
	}
	return OK;
}

/* An iterator that fetches the memory of the next nodes in advance: these are in the order of the file, so waiting for one after
 * the other would take most of the time. */
enum { AHEAD = 8 };
struct foresight {
	struct trie_iter it;
	struct trie_cell *cell[AHEAD]; /* a ring */
	unsigned first, n;
};

static struct trie_cell *
next_cell(struct foresight *f)
{
	const uint8_t *node;
	while (f->n < AHEAD && (node = trie_iter_next(&f->it)) != NULL) {
		f->cell[(f->first + f->n++) % AHEAD] = trie_iter_cell(&f->it);
		__builtin_prefetch(node);
		__builtin_prefetch(node + 64);
	}
	if (f->n == 0) {
		return NULL;
	}
	f->n--;
	return f->cell[f->first++ % AHEAD];
}

static err_t
visit_all(struct zone_builder *b, struct linking *l)
{
	struct foresight f = { .n = 0 };
	struct trie_cell *at;
	trie_iter_first(&f.it, &b->nodes.in.now);
	for (size_t names = 1; (at = next_cell(&f)) != NULL; names++) {
		TRY(visit(b, l, at));
		if (l->empties_n > EMPTIES_FREE + names * ZONE_EMPTIES_PER_NAME_MAX) {
			builder_report_too_many_empties(b, ((struct node *)at->ptr)->name);
			return OK;
		}
	}
	TRY(leave_cut(b, l));
	TRY(visit_nsec3(b));
	TRY(put_empties(b, l));
	b->is_linked = true;
	return OK;
}

/* Makes sure that there is a node for the apex, above all others. */
static err_t
put_apex(struct zone_builder *b)
{
	struct nkey key;
	nkey_set(&key, b->zone->apex_name);
	if (trie_get(&b->nodes.in.now, &key) != NULL) {
		return OK;
	}
	struct node *n;
	void *old;
	TRY(builder_make_node(b, b->zone->apex_name, 0, NULL, 0, NULL, NULL, &n));
	err_t err = trie_put(&b->nodes.in, n, &old);
	if (err != OK) {
		builder_free_node(b, n);
	}
	return err;
}

err_t
builder_link(struct zone_builder *b)
{
	struct linking l = { .n = 0 };
	TRY(put_apex(b));
	err_t err = visit_all(b, &l);
	while (l.empties_n != 0) {
		builder_free_node(b, l.empties[--l.empties_n]);
	}
	free(l.empties);
	b->list_octets = 0;
	return err;
}
