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

/* All but the nodes and the tries. */
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
	e->is_changed = true; /* also when only others of the RRset have another TTL by now */
	if (old == NULL) {
		return edited_add(e, &new);
	}
	if (!is_there) {
		edited_bring_back(e, old, &new); /* in the case that it is written in now */
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

/* ---- asking ---- */

/* A name as it is by now.  What only is asked about is not copied: it is as it was. */
struct place {
	struct edited *edited; /* NULL: nothing of it has changed */
	const struct node *node[2]; /* then these have its records; NULL: none */
};

static err_t
find_place(const struct zone_txn *t, const uint8_t *owner, struct place *out)
{
	struct nkey key;
	if (!name_is_within(owner, t->from->apex_name)) {
		return E_RANGE;
	}
	nkey_set(&key, owner);
	*out = (struct place){ .edited = trie_get(&t->names.now, &key) };
	if (out->edited == NULL) {
		out->node[0] = trie_get(&t->from->nodes, &key);
		out->node[1] = trie_get(&t->from->nsec3, &key);
	}
	return OK;
}

static err_t
each_of_rrset(const uint8_t *owner, const struct rrset *s, err_t (*each)(void *ctx, const struct zone_rr *rr), void *ctx,
              uint64_t *steps)
{
	const struct rr *rr = rrset_first(s);
	for (unsigned i = s->n; i != 0; i--, rr = rr_next(rr)) {
		const struct zone_rr out = { .owner = owner, .type = s->type, .ttl = rrset_ttl(s), .rdlen = rr->rdlen, .rdata = rr->rdata };
		(*steps)++;
		TRY(each(ctx, &out));
	}
	return OK;
}

static err_t
each_of_node(const uint8_t *owner, const struct node *n, uint16_t type, err_t (*each)(void *ctx, const struct zone_rr *rr), void *ctx,
             uint64_t *steps)
{
	const struct rrset *s = n != NULL ? node_first(n) : NULL;
	for (unsigned left = n != NULL ? n->rrsets : 0; left != 0; left--, s = rrset_next(s)) {
		(*steps)++;
		if (type == TYPE_ANY || s->type == type) {
			TRY(each_of_rrset(owner, s, each, ctx, steps));
		}
	}
	return OK;
}

err_t
zone_txn_each(struct zone_txn *t, const uint8_t *owner, uint16_t type, err_t (*each)(void *ctx, const struct zone_rr *rr),
              void *ctx)
{
	struct place p;
	TRY(find_place(t, owner, &p));
	if (p.edited != NULL) {
		return edited_each(p.edited, type, each, ctx, &t->steps);
	}
	TRY(each_of_node(owner, p.node[0], type, each, ctx, &t->steps));
	return each_of_node(owner, p.node[1], type, each, ctx, &t->steps);
}

static size_t
count_in_node(const struct node *n, uint16_t type, uint64_t *steps)
{
	size_t records = 0;
	const struct rrset *s = n != NULL ? node_first(n) : NULL;
	for (unsigned left = n != NULL ? n->rrsets : 0; left != 0; left--, s = rrset_next(s)) {
		(*steps)++;
		records += type == TYPE_ANY || s->type == type ? s->n : 0;
	}
	return records;
}

err_t
zone_txn_count(struct zone_txn *t, const uint8_t *owner, uint16_t type, size_t *out)
{
	struct place p;
	TRY(find_place(t, owner, &p));
	*out = p.edited != NULL ? edited_count(p.edited, type)
	                        : count_in_node(p.node[0], type, &t->steps) + count_in_node(p.node[1], type, &t->steps);
	return OK;
}

uint64_t
zone_txn_steps(const struct zone_txn *t)
{
	return t->steps;
}

/* ---- nodes of the new version ---- */

/* A node that the new version does not have (NULL: there is none). */
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

static err_t
remove_node(struct zone_txn *t, struct trie_txn *in, const uint8_t *name)
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

/* Makes the names above one that came: nearest first, up to one that is there. */
static err_t
put_names_above(struct zone_txn *t, const uint8_t *name)
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

/* A name that lost its last record: it goes, and with it the names without records above it that have nothing else
 * below them. */
static err_t
remove_name(struct zone_txn *t, const uint8_t *name)
{
	if (name_len(name) == t->from->apex_len || has_names_below(t, name)) {
		return put_empty(t, name);
	}
	for (;;) {
		TRY(remove_node(t, &t->nodes, name));
		name = name_parent(name);
		const struct node *n = txn_node(t, name);
		if (name_len(name) == t->from->apex_len || n == NULL || n->rrsets != 0 || has_names_below(t, name)) {
			return OK;
		}
	}
}

/* ---- applying one name's changes ---- */

static bool
is_sound(const struct node *n)
{
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		if (s->n > 1 && (rrtype_flags(s->type) & RRTYPE_SINGLETON) != 0) {
			return false;
		}
		if (s->type == TYPE_SOA && (n->flags & NODE_APEX) == 0) {
			return false;
		}
		if ((n->flags & NODE_CNAME) != 0 && !zone_may_stand_beside_cname(s->type)) {
			return false;
		}
	}
	return true;
}

/* Equal but for flags and referral? */
static bool
is_same_content(const struct node *a, const struct node *b)
{
	size_t size = node_plain_size(a);
	return size == node_plain_size(b) && a->rrsets == b->rrsets &&
	       memcmp(&a->name_len, &b->name_len, size - offsetof(struct node, name_len)) == 0;
}

/* Puts the node made of rrs[0, n) in the place of the one that was there; both may be nothing. */
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
		e->is_emptied = old != NULL && old->rrsets != 0; /* it goes when all that comes is there */
		return OK;
	}
	if (n == 0) {
		return remove_node(t, in, e->name);
	}
	struct node *new;
	TRY(node_make(old != NULL ? old->name : e->name, 0, rrs, n, NULL, NULL, &new));
	if (old != NULL && is_same_content(old, new)) {
		free(new);
		return OK;
	}
	new->flags |= is_plain ? zone_own_flags(t->from, new) : 0;
	bool is_good = is_sound(new);
	TRY(txn_put_node(t, in, new));
	TRY(is_good ? OK : E_FORMAT);
	return is_plain && old == NULL ? put_names_above(t, e->name) : OK;
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

/* ---- commit ---- */

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
	for (size_t i = list->n; i != 0; i--) { /* what is below goes first */
		if (list->at[i - 1]->is_emptied) {
			TRY(remove_name(t, list->at[i - 1]->name));
		}
	}
	for (size_t i = 0; i < list->n; i++) {
		TRY(txn_settle_path(t, list->at[i]->name));
		TRY(txn_settle_below(t, list->at[i]->name));
	}
	return txn_settle_referrals(t, list->at, list->n);
}

static err_t
apply(struct zone_txn *t)
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
	return zone_settle(t->to);
}

err_t
zone_txn_prepare(struct zone_txn *t, const struct zone **out)
{
	if (!t->is_prepared) {
		TRY(apply(t));
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
	TRY(garbage_reserve(&t->stale, 1));
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
