#include "zone/zone_txn_p.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "zone/referral.h"

static bool
has_wildcard_child(const struct zone_txn *t, const struct node *n)
{
	struct name star;
	return name_join((const uint8_t *)"\1*", 2, n->name, &star) == OK && txn_node(t, star.oct) != NULL;
}

/* True when the names below a node are hidden, by the node or by one above it. */
static bool
is_below_hidden(const struct node *n)
{
	return zone_hides_below(n) || (n->flags & NODE_BELOW_CUT) != 0;
}

static err_t
settle_node(struct zone_txn *t, struct node **n, bool is_hidden)
{
	uint16_t flags = (*n)->flags & (uint16_t)~(NODE_WILDCARD | NODE_BELOW_CUT | FRESH | NODE_REFERRAL);
	flags |= is_hidden ? NODE_BELOW_CUT : 0;
	flags |= has_wildcard_child(t, *n) ? NODE_WILDCARD : 0;
	if (flags != ((*n)->flags & ~(FRESH | NODE_REFERRAL))) {
		TRY(txn_set_flags(t, *n, flags));
		*n = txn_node(t, (*n)->name);
	}
	return OK;
}

err_t
txn_settle_path(struct zone_txn *t, const uint8_t *name)
{
	struct nkey key;
	struct trie_path path;
	bool is_hidden = false;
	nkey_set(&key, name);
	trie_lookup(&t->nodes.now, &key, &path);
	for (unsigned i = 0; i <= path.n; i++) {
		struct node *n = i < path.n ? path.ancestor[i] : path.exact;
		if (n != NULL) {
			TRY(settle_node(t, &n, is_hidden));
			is_hidden = is_below_hidden(n);
		}
	}
	return OK;
}

/* Nodes below a name, in order. */
struct node_list {
	const struct node **at;
	size_t n, cap;
};

static err_t
list_node(struct node_list *l, const struct node *n)
{
	if (!try_room(&l->at, sizeof *l->at, l->n, &l->cap)) {
		return E_NOMEM;
	}
	l->at[l->n++] = n;
	return OK;
}

static err_t
list_below(const struct zone_txn *t, const uint8_t *name, struct node_list *out)
{
	struct nkey key;
	struct trie_iter it;
	const struct node *n;
	nkey_set(&key, name);
	trie_iter_seek(&it, &t->nodes.now, &key);
	while ((n = trie_iter_next(&it)) != NULL && name_is_within(n->name, name)) {
		TRY(list_node(out, n));
	}
	return OK;
}

err_t
txn_settle_below(struct zone_txn *t, const uint8_t *name)
{
	const struct node *old = zone_node(t->from, name), *new = txn_node(t, name);
	bool was_hidden = old != NULL && is_below_hidden(old), is_hidden = new != NULL && is_below_hidden(new);
	if (was_hidden == is_hidden) {
		return OK;
	}
	struct node_list below = { .n = 0 };
	err_t err = list_below(t, name, &below);
	for (size_t i = 0; i < below.n && err == OK; i++) {
		err = txn_settle_path(t, below.at[i]->name);
	}
	free(below.at);
	return err;
}

/* ---- referrals ---- */

static const struct node *
find_node(void *ctx, const uint8_t *name, size_t len)
{
	(void)len;
	return txn_node(ctx, name);
}

/* Makes the referral of a cut from its present name servers and their addresses. */
static err_t
settle_referral(struct zone_txn *t, struct node *cut)
{
	struct referral_draft draft;
	bool is_wanted = (cut->flags & NODE_BELOW_CUT) == 0 &&
	                 referral_draft(cut, t->from->apex_len, find_node, t, &draft);
	if (!is_wanted) {
		return (cut->flags & NODE_REFERRAL) != 0 ? txn_set_flags(t, cut, cut->flags & (uint16_t)~FRESH) : OK;
	}
	if (referral_is_same(cut, &draft)) {
		return OK;
	}
	struct node *new;
	TRY(referral_attach(cut, &draft, &new));
	return txn_put_node(t, &t->nodes, new);
}

/* Makes the referral of the delegation at or above a name, if there is one. */
static err_t
settle_referral_above(struct zone_txn *t, const uint8_t *name)
{
	struct nkey key;
	struct trie_path path;
	nkey_set(&key, name);
	trie_lookup(&t->nodes.now, &key, &path);
	for (unsigned i = 0; i <= path.n; i++) {
		struct node *n = i < path.n ? path.ancestor[i] : path.exact;
		if (n != NULL && (n->flags & NODE_CUT) != 0) {
			return settle_referral(t, n);
		}
	}
	return OK;
}

struct listing {
	struct node_list cuts;
	err_t err;
};

static void
list_cut(void *ctx, void *block)
{
	struct listing *l = ctx;
	const struct node *n = block;
	if ((n->flags & NODE_CUT) != 0 && l->err == OK) {
		l->err = list_node(&l->cuts, n);
	}
}

static err_t
settle_cuts(struct zone_txn *t, const struct node_list *cuts)
{
	for (size_t i = 0; i < cuts->n; i++) {
		struct node *now = txn_node(t, cuts->at[i]->name);
		if (now == cuts->at[i]) {
			TRY(settle_referral(t, now));
		}
	}
	return OK;
}

err_t
txn_settle_referrals(struct zone_txn *t, struct edited *const *changed, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		TRY(settle_referral_above(t, changed[i]->name));
	}
	struct listing made = { .err = OK }; /* nodes that are made from now on already have their referrals */
	garbage_each(&t->fresh, list_cut, &made);
	err_t err = made.err == OK ? settle_cuts(t, &made.cuts) : made.err;
	free(made.cuts.at);
	return err;
}
