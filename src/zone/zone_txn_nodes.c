/* Adds nodes to the new version and removes them, with the empty non-terminals above them. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "zone/zone_txn_p.h"

/* Drops a node that the new version does not have (NULL: there is none). */
static void
drop_node(struct zone_txn *t, struct node *old)
{
	if (old != NULL) {
		t->node_octets -= alloc_octets(old->size);
		garbage_add(&t->stale, old, old->size);
	}
}

err_t
txn_put_node(struct zone_txn *t, struct trie_txn *in, struct node *n)
{
	void *old;
	err_t err = garbage_reserve(&t->fresh, 1);
	if (err != OK) {
		free(n);
		return err;
	}
	n->flags |= FRESH;
	garbage_add(&t->fresh, n, n->size);
	TRY(garbage_reserve(&t->stale, 1));
	TRY(trie_put(in, n, &old));
	t->node_octets += alloc_octets(n->size);
	drop_node(t, old);
	return OK;
}

err_t
txn_remove_node(struct zone_txn *t, struct trie_txn *in, const uint8_t *name)
{
	struct nkey key;
	nkey_set(&key, name);
	TRY(trie_claim(in, &key));
	TRY(garbage_reserve(&t->stale, 1));
	drop_node(t, trie_remove(in, &key));
	return OK;
}

err_t
txn_set_flags(struct zone_txn *t, struct node *n, uint16_t flags)
{
	flags &= (uint16_t)~NODE_REFERRAL;
	if ((n->flags & FRESH) != 0) {
		n->flags = flags | FRESH;
		return OK;
	}
	size_t size = node_plain_size(n);
	struct node *copy = malloc(size);
	if (copy == NULL) {
		return E_NOMEM;
	}
	memcpy(copy, n, size);
	copy->size = (uint32_t)size;
	copy->flags = flags;
	return txn_put_node(t, &t->nodes, copy);
}

struct node *
txn_node(const struct zone_txn *t, const uint8_t *name)
{
	struct nkey key;
	nkey_set(&key, name);
	return trie_get(&t->nodes.now, &key);
}

static bool
has_names_below(const struct zone_txn *t, const uint8_t *name)
{
	struct nkey key;
	struct trie_iter it;
	nkey_set(&key, name);
	trie_iter_seek(&it, &t->nodes.now, &key);
	const struct node *n = trie_iter_next(&it);
	if (n != NULL && nkey_is_name(&key, n->name, n->name_len)) {
		n = trie_iter_next(&it);
	}
	return n != NULL && name_is_within(n->name, name);
}

static err_t
put_empty(struct zone_txn *t, const uint8_t *name)
{
	struct node *n;
	TRY(node_make(name, 0, NULL, 0, NULL, NULL, &n));
	return txn_put_node(t, &t->nodes, n);
}

err_t
txn_put_names_above(struct zone_txn *t, const uint8_t *name)
{
	while (name_len(name) > t->from->apex_len) {
		name = name_parent(name);
		if (txn_node(t, name) != NULL) {
			return OK;
		}
		TRY(put_empty(t, name));
	}
	return OK;
}

err_t
txn_remove_name(struct zone_txn *t, const uint8_t *name)
{
	if (name_len(name) == t->from->apex_len || has_names_below(t, name)) {
		return put_empty(t, name);
	}
	for (;;) {
		TRY(txn_remove_node(t, &t->nodes, name));
		name = name_parent(name);
		const struct node *n = txn_node(t, name);
		if (name_len(name) == t->from->apex_len || n == NULL || n->rrsets != 0 || has_names_below(t, name)) {
			return OK;
		}
	}
}
