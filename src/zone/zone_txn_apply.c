/* Makes the new version: the records of each changed name become its node. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "zone/zone_txn_p.h"

/* ---- one name ---- */

/* True when two nodes are equal except for flags and referral. */
static bool
is_same_content(const struct node *a, const struct node *b)
{
	size_t size = node_plain_size(a);
	return size == node_plain_size(b) && a->rrsets == b->rrsets &&
	       memcmp(&a->name_len, &b->name_len, size - offsetof(struct node, name_len)) == 0;
}

/* Replaces the old node by the node of rrs[0, n); either may be missing. */
static err_t
apply_records(struct zone_txn *t, struct trie_txn *in, struct edited *e, struct node_rr *rrs, size_t n)
{
	struct nkey key;
	nkey_set(&key, e->name);
	const struct node *old = trie_get(&in->now, &key);
	bool is_plain = in == &t->nodes;
	t->removed += old != NULL ? zone_node_records(old) : 0;
	t->added += n;
	if (n == 0 && is_plain) {
		e->is_emptied = old != NULL && old->rrsets != 0; /* removed after all new names were added */
		return OK;
	}
	if (n == 0) {
		return txn_remove_node(t, in, e->name);
	}
	struct node *new;
	TRY(node_make(old != NULL ? old->name : e->name, 0, rrs, n, NULL, NULL, &new));
	if (old != NULL && is_same_content(old, new)) {
		free(new);
		return OK;
	}
	new->flags |= is_plain ? zone_own_flags(t->from, new) : 0;
	bool is_flawed = !zone_node_is_sound(new), is_new_flaw = is_flawed && (old == NULL || zone_node_is_sound(old));
	TRY(txn_put_node(t, in, new));
	TRY(is_flawed && !t->from->takes_flaws ? E_FORMAT : OK);
	t->flawed = is_new_flaw ? e : t->flawed;
	return is_plain && old == NULL ? txn_put_names_above(t, e->name) : OK;
}

static err_t
apply_name(struct zone_txn *t, struct edited *e)
{
	TRY(edited_settle(e));
	[[gnu::cleanup(free_ptr)]] struct node_rr *rrs = calloc(e->n + 1, sizeof *rrs);
	if (rrs == NULL) {
		return E_NOMEM;
	}
	size_t plain = 0, nsec3 = e->n;
	for (size_t i = 0; i < e->n; i++) {
		const struct node_rr *rr = &e->edits[i].rr;
		rrs[zone_is_nsec3(rr->type, node_rr_covers(rr)) ? --nsec3 : plain++] = *rr;
	}
	TRY(apply_records(t, &t->nodes, e, rrs, plain));
	return apply_records(t, &t->nsec3, e, rrs + nsec3, e->n - nsec3);
}

/* ---- all names ---- */

struct edited_list {
	struct edited **at;
	size_t n;
};

static err_t
list_changed(struct zone_txn *t, struct edited_list *out)
{
	struct trie_iter it;
	struct edited *e;
	out->at = calloc(t->names.now.n + 1, sizeof(struct edited *));
	if (out->at == NULL) {
		return E_NOMEM;
	}
	trie_iter_first(&it, &t->names.now);
	while ((e = trie_iter_next(&it)) != NULL) {
		if (e->is_changed) {
			out->at[out->n++] = e;
		}
	}
	return OK;
}

static err_t
apply_list(struct zone_txn *t, const struct edited_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		TRY(apply_name(t, list->at[i]));
	}
	for (size_t i = list->n; i != 0; i--) { /* names below others first */
		if (list->at[i - 1]->is_emptied) {
			TRY(txn_remove_name(t, list->at[i - 1]->name));
		}
	}
	for (size_t i = 0; i < list->n; i++) {
		TRY(txn_settle_path(t, list->at[i]->name));
		TRY(txn_settle_below(t, list->at[i]->name));
	}
	return txn_settle_referrals(t, list->at, list->n);
}

err_t
txn_apply(struct zone_txn *t)
{
	struct edited_list list = { .n = 0 };
	TRY(list_changed(t, &list));
	err_t err = apply_list(t, &list);
	free(list.at);
	TRY(err);
	t->to->nodes = t->nodes.now;
	t->to->nsec3 = t->nsec3.now;
	t->to->records = t->from->records + t->added - t->removed;
	t->to->node_octets = t->node_octets;
	t->to->takes_flaws = t->from->takes_flaws;
	t->to->flaw = t->flawed != NULL ? txn_node(t, t->flawed->name) : NULL;
	return zone_settle(t->to);
}
