#include "zone/zone_txn_p.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

err_t
zone_txn_begin(const struct zone *from, struct zone_txn **out)
{
	struct zone_txn *t = try_alloc(sizeof *t);
	if (t == NULL) {
		return E_NOMEM;
	}
	err_t err = zone_new(from->apex_name, &t->to);
	if (err != OK) {
		free(t);
		return err;
	}
	struct trie none;
	trie_init(&none, offsetof(struct edited, name));
	trie_begin(&t->names, &none);
	trie_begin(&t->nodes, &from->nodes);
	trie_begin(&t->nsec3, &from->nsec3);
	t->from = from;
	t->node_octets = from->node_octets;
	*out = t;
	return OK;
}

static void
free_edited(void *ctx, void *value)
{
	(void)ctx;
	edited_free(value);
}

/* Frees everything except the nodes and the tries. */
static void
txn_free(struct zone_txn *t)
{
	trie_fini(&t->names.now, free_edited, NULL);
	arena_fini(&t->arena);
	garbage_forget(&t->fresh);
	garbage_forget(&t->stale);
	free(t->to);
	free(t);
}

void
zone_txn_rollback(struct zone_txn **txn)
{
	struct zone_txn *t = *txn;
	if (t == NULL) {
		return;
	}
	trie_rollback(&t->nodes);
	trie_rollback(&t->nsec3);
	garbage_free(&t->fresh);
	txn_free(t);
	*txn = NULL;
}

static err_t
fill_edited(struct zone_txn *t, struct edited *e, const struct nkey *key)
{
	void *old;
	TRY(edited_load(e, trie_get(&t->from->nodes, key)));
	TRY(edited_load(e, trie_get(&t->from->nsec3, key)));
	return trie_put(&t->names, e, &old);
}

static err_t
edited_of(struct zone_txn *t, const uint8_t *owner, struct edited **out)
{
	struct nkey key;
	nkey_set(&key, owner);
	*out = trie_get(&t->names.now, &key);
	if (*out != NULL) {
		return OK;
	}
	if (!name_is_within(owner, t->from->apex_name)) {
		return E_RANGE;
	}
	struct edited *e = try_alloc(sizeof *e + key.name_len);
	if (e == NULL) {
		return E_NOMEM;
	}
	e->name_len = key.name_len;
	memcpy(e->name, owner, key.name_len);
	err_t err = fill_edited(t, e, &key);
	if (err != OK) {
		edited_free(e);
		return err;
	}
	*out = e;
	return OK;
}

err_t
zone_txn_add(struct zone_txn *t, const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
             uint16_t rdlen)
{
	struct edited *e;
	ASSERT(!t->is_prepared);
	TRY(edited_of(t, owner, &e));
	struct edit new = { .rr = { .type = type, .ttl = ttl, .rdlen = rdlen, .rdata = rdata }, .stamp = ++t->stamp };
	struct edit *old = edited_find(e, &new.rr);
	bool is_there = old != NULL && !old->is_gone;
	new.rr.rdata = is_there ? old->rr.rdata : arena_copy(&t->arena, rdata, rdlen);
	if (new.rr.rdata == NULL) {
		return E_NOMEM;
	}
	e->is_changed = true; /* also if only the TTL of other records in the RRset has changed */
	if (old == NULL) {
		return edited_add(e, &new);
	}
	if (!is_there) {
		edited_bring_back(e, old, &new); /* with the new upper and lower case */
		return OK;
	}
	bool is_same = old->rr.ttl == ttl;
	old->rr.ttl = ttl;
	old->stamp = new.stamp;
	return is_same ? E_EXISTS : OK;
}

err_t
zone_txn_remove(struct zone_txn *t, const uint8_t *owner, uint16_t type, const uint8_t *rdata, uint16_t rdlen)
{
	struct edited *e;
	ASSERT(!t->is_prepared);
	TRY(edited_of(t, owner, &e));
	struct edit *old = edited_find(e, &(struct node_rr){ .type = type, .rdlen = rdlen, .rdata = rdata });
	if (old == NULL || old->is_gone) {
		return E_NOTFOUND;
	}
	edited_remove(e, old);
	e->is_changed = true;
	return OK;
}

err_t
zone_txn_is_effective(struct zone_txn *t, bool *out)
{
	struct trie_iter it;
	struct edited *e;
	*out = false;
	trie_iter_first(&it, &t->names.now);
	while (!*out && (e = trie_iter_next(&it)) != NULL) {
		if (e->is_changed) {
			TRY(edited_is_effective(e, out));
		}
	}
	return OK;
}

/* ---- the new version ---- */

err_t
zone_txn_prepare(struct zone_txn *t, const struct zone **out)
{
	if (!t->is_prepared) {
		TRY(txn_apply(t));
		TRY(garbage_reserve(&t->stale, 1)); /* for the old struct zone, so that the commit cannot fail */
		t->is_prepared = true;
	}
	*out = t->to;
	return OK;
}

err_t
zone_txn_diff(const struct zone_txn *t, err_t (*each)(void *ctx, bool is_added, const struct zone_rr *rr), void *ctx)
{
	const struct zone_differ d = { .each = each, .ctx = ctx };
	const struct edited *e;
	struct trie_iter it;
	ASSERT(t->is_prepared);
	trie_iter_first(&it, &t->names.now);
	while ((e = trie_iter_next(&it)) != NULL) {
		if (e->is_changed) {
			struct nkey key;
			nkey_set(&key, e->name);
			TRY(zone_diff_nodes(&d, trie_get(&t->from->nodes, &key), trie_get(&t->to->nodes, &key)));
			TRY(zone_diff_nodes(&d, trie_get(&t->from->nsec3, &key), trie_get(&t->to->nsec3, &key)));
		}
	}
	return OK;
}

static void
settle_fresh(void *ctx, void *block)
{
	struct node *n = block;
	(void)ctx;
	n->flags &= (uint16_t)~FRESH;
}

err_t
zone_txn_commit(struct zone_txn **txn, struct zone **out, struct garbage *garbage)
{
	struct zone_txn *t = *txn;
	const struct zone *made;
	TRY(zone_txn_prepare(t, &made));
	garbage_each(&t->fresh, settle_fresh, NULL);
	struct zone *to = t->to;
	to->nodes = trie_commit(&t->nodes, garbage);
	to->nsec3 = trie_commit(&t->nsec3, garbage);
	garbage_add(&t->stale, (void *)(uintptr_t)t->from, sizeof *t->from);
	garbage_move(garbage, &t->stale);
	t->to = NULL;
	txn_free(t);
	*txn = NULL;
	*out = to;
	return OK;
}
