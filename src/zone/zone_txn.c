#include "zone/zone_p.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "zone/referral.h"

/* The names that change are gathered first, each with all its records (struct edited), so that many changes of one
 * name cost one new node.  At the commit the new nodes are put into the tries, names without
 * records come and go around them, and the flags that follow from other names are set right where that
 * can have changed them. */

struct edit {
	struct node_rr rr;
	uint64_t stamp; /* when it was added, counted from 1; 0: it was there */
	bool is_gone;
};

/* Records are kept in sorted runs, each less than half as long as the one before it (but for the first
 * two): a record that is added is a run of one, and runs that come to be alike in length are merged.  So
 * to find and to add cost O(log² n), whatever the order; a million changes of one name are no trouble. */
enum { RUNS_MAX = 66 };

struct edited {
	struct edit *edits;
	size_t n, cap;
	size_t run_end[RUNS_MAX];
	unsigned runs;
	bool is_changed, is_emptied;
	uint8_t name_len;
	uint8_t name[]; /* as the trie wants it */
};

struct zone_txn {
	const struct zone *from; /* borrowed until the commit */
	struct zone *to;
	struct trie_txn nodes, nsec3;
	struct trie_txn names; /* of struct edited */
	struct arena arena;    /* RDATA that was added */
	struct garbage fresh;  /* nodes made here; freed by a rollback */
	struct garbage stale;  /* nodes that the new version does not have */
	uint64_t stamp;
	size_t added, removed; /* records, in what was applied */
};

enum { FRESH = 1 << 14 }; /* in a node's flags, until the commit: nobody else has it */

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
	*out = t;
	return OK;
}

static void
free_edited(void *ctx, void *value)
{
	(void)ctx;
	struct edited *e = value;
	free(e->edits);
	free(e);
}

/* All but the nodes and the tries. */
static void
txn_free(struct zone_txn *t)
{
	trie_fini(&t->names.now, free_edited, NULL);
	arena_fini(&t->arena);
	free(t->fresh.block);
	free(t->stale.block);
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

/* ---- the records of one name ---- */

static err_t
append_edit(struct edited *e, const struct edit *new)
{
	if (e->n == e->cap) {
		size_t cap = e->cap != 0 ? e->cap * 2 : 8;
		struct edit *grown = realloc(e->edits, cap * sizeof *grown);
		if (grown == NULL) {
			return E_NOMEM;
		}
		e->edits = grown;
		e->cap = cap;
	}
	e->edits[e->n++] = *new;
	return OK;
}

static size_t
run_start(const struct edited *e, unsigned run)
{
	return run != 0 ? e->run_end[run - 1] : 0;
}

/* Merges the last two runs. */
static err_t
merge_runs(struct edited *e)
{
	size_t left = run_start(e, e->runs - 2), right = run_start(e, e->runs - 1), right_n = e->n - right;
	struct edit *copy = malloc(right_n * sizeof *copy);
	if (copy == NULL) {
		return E_NOMEM;
	}
	memcpy(copy, e->edits + right, right_n * sizeof *copy);
	for (size_t to = e->n; right_n != 0;) {
		bool is_left = right > left && node_rr_compare(&e->edits[right - 1].rr, &copy[right_n - 1].rr) > 0;
		e->edits[--to] = is_left ? e->edits[--right] : copy[--right_n];
	}
	free(copy);
	e->runs--;
	e->run_end[e->runs - 1] = e->n;
	return OK;
}

static err_t
add_edit(struct edited *e, const struct edit *new)
{
	TRY(append_edit(e, new));
	e->run_end[e->runs++] = e->n;
	while (e->runs > 1) {
		size_t start = run_start(e, e->runs - 1);
		if (2 * (e->n - start) <= start - run_start(e, e->runs - 2)) {
			break;
		}
		TRY(merge_runs(e));
	}
	return OK;
}

static struct edit *
find_edit(const struct edited *e, const struct node_rr *rr)
{
	for (unsigned run = 0; run < e->runs; run++) {
		size_t low = run_start(e, run), high = e->run_end[run];
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			int order = node_rr_compare(&e->edits[middle].rr, rr);
			if (order == 0) {
				return &e->edits[middle];
			}
			low = order < 0 ? middle + 1 : low;
			high = order > 0 ? middle : high;
		}
	}
	return NULL;
}

/* The records that a node has, as one run. */
static err_t
load_node(struct edited *e, const struct node *n)
{
	const struct rrset *s = n != NULL ? node_first(n) : NULL;
	for (unsigned left = n != NULL ? n->rrsets : 0; left != 0; left--, s = rrset_next(s)) {
		const struct rr *rr = rrset_first(s);
		for (unsigned i = s->n; i != 0; i--, rr = rr_next(rr)) {
			struct edit is = { .rr = { .type = s->type, .ttl = rrset_ttl(s), .rdlen = rr->rdlen, .rdata = rr->rdata } };
			TRY(append_edit(e, &is));
		}
	}
	if (e->n > run_start(e, e->runs)) {
		e->run_end[e->runs++] = e->n;
	}
	return OK;
}

static err_t
fill_edited(struct zone_txn *t, struct edited *e, const struct nkey *key)
{
	void *old;
	TRY(load_node(e, trie_get(&t->from->nodes, key)));
	TRY(load_node(e, trie_get(&t->from->nsec3, key)));
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
		free_edited(NULL, e);
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
	TRY(edited_of(t, owner, &e));
	struct edit new = { .rr = { .type = type, .ttl = ttl, .rdlen = rdlen, .rdata = rdata }, .stamp = ++t->stamp };
	struct edit *old = find_edit(e, &new.rr);
	bool is_there = old != NULL && !old->is_gone;
	new.rr.rdata = is_there ? old->rr.rdata : arena_copy(&t->arena, rdata, rdlen);
	if (new.rr.rdata == NULL) {
		return E_NOMEM;
	}
	e->is_changed = true; /* also when only others of the RRset have another TTL by now */
	if (old == NULL) {
		return add_edit(e, &new);
	}
	bool is_same = is_there && old->rr.ttl == ttl;
	*old = new; /* what is gone comes back in the case that it is written in now */
	return is_same ? E_EXISTS : OK;
}

err_t
zone_txn_remove(struct zone_txn *t, const uint8_t *owner, uint16_t type, const uint8_t *rdata, uint16_t rdlen)
{
	struct edited *e;
	TRY(edited_of(t, owner, &e));
	struct edit *old = find_edit(e, &(struct node_rr){ .type = type, .rdlen = rdlen, .rdata = rdata });
	if (old == NULL || old->is_gone) {
		return E_NOTFOUND;
	}
	old->is_gone = true;
	e->is_changed = true;
	return OK;
}

/* ---- nodes of the new version ---- */

static err_t
put_node(struct zone_txn *t, struct trie_txn *in, struct node *n)
{
	void *old;
	n->flags |= FRESH;
	garbage_add(&t->fresh, n);
	TRY(trie_put(in, n, &old));
	garbage_add(&t->stale, old);
	return OK;
}

static void
remove_node(struct zone_txn *t, struct trie_txn *in, const uint8_t *name)
{
	struct nkey key;
	nkey_set(&key, name);
	garbage_add(&t->stale, trie_remove(in, &key));
}

/* Gives a node other flags: in place where nobody else has it, else in a copy.  A referral is left behind: what
 * changes flags may change that, and settle_referral() makes it anew. */
static err_t
set_flags(struct zone_txn *t, struct node *n, uint16_t flags)
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
	return put_node(t, &t->nodes, copy);
}

static struct node *
node_of(const struct zone_txn *t, const uint8_t *name)
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
	return put_node(t, &t->nodes, n);
}

/* Makes the names above one that came: nearest first, up to one that is there. */
static err_t
put_names_above(struct zone_txn *t, const uint8_t *name)
{
	while (name_len(name) > t->from->apex_len) {
		name = name_parent(name);
		if (node_of(t, name) != NULL) {
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
		remove_node(t, &t->nodes, name);
		name = name_parent(name);
		const struct node *n = node_of(t, name);
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
		remove_node(t, in, e->name);
		return OK;
	}
	struct node *new;
	TRY(node_make(old != NULL ? old->name : e->name, 0, rrs, n, NULL, NULL, &new));
	if (old != NULL && is_same_content(old, new)) {
		free(new);
		return OK;
	}
	new->flags |= is_plain ? zone_own_flags(t->from, new) : 0;
	bool is_good = is_sound(new);
	TRY(put_node(t, in, new));
	TRY(is_good ? OK : E_FORMAT);
	return is_plain && old == NULL ? put_names_above(t, e->name) : OK;
}

/* An RRset has the TTL that was given last, even if that record is gone again. */
static void
set_ttls(struct edited *e)
{
	for (size_t i = 0, end; i < e->n; i = end) {
		const struct edit *last = &e->edits[i];
		for (end = i; end < e->n && node_rr_is_same_set(&e->edits[i].rr, &e->edits[end].rr); end++) {
			last = e->edits[end].stamp > last->stamp ? &e->edits[end] : last;
		}
		uint32_t ttl = last->rr.ttl;
		for (size_t j = i; j < end; j++) {
			e->edits[j].rr.ttl = ttl;
		}
	}
}

static void
drop_gone(struct edited *e)
{
	size_t kept = 0;
	for (size_t i = 0; i < e->n; i++) {
		if (!e->edits[i].is_gone) {
			e->edits[kept++] = e->edits[i];
		}
	}
	e->n = kept;
}

static err_t
apply_name(struct zone_txn *t, struct edited *e)
{
	while (e->runs > 1) {
		TRY(merge_runs(e));
	}
	set_ttls(e);
	drop_gone(e);
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

/* ---- flags that follow from other names ---- */

static bool
has_wildcard_child(const struct zone_txn *t, const struct node *n)
{
	struct name star;
	return name_join((const uint8_t *)"\1*", 2, n->name, &star) == OK && node_of(t, star.oct) != NULL;
}

static bool
hides_below(const struct node *n)
{
	return zone_is_cover(n) || (n->flags & NODE_BELOW_CUT) != 0;
}

static err_t
settle_node(struct zone_txn *t, struct node **n, bool is_hidden)
{
	uint16_t flags = (*n)->flags & (uint16_t)~(NODE_WILDCARD | NODE_BELOW_CUT | FRESH | NODE_REFERRAL);
	flags |= is_hidden ? NODE_BELOW_CUT : 0;
	flags |= has_wildcard_child(t, *n) ? NODE_WILDCARD : 0;
	if (flags != ((*n)->flags & ~(FRESH | NODE_REFERRAL))) {
		TRY(set_flags(t, *n, flags));
		*n = node_of(t, (*n)->name);
	}
	return OK;
}

/* Sets the flags of a name and of all above it. */
static err_t
settle_path(struct zone_txn *t, const uint8_t *name)
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
			is_hidden = hides_below(n);
		}
	}
	return OK;
}

/* Nodes below a name, in order. */
static void
names_below(const struct zone_txn *t, const uint8_t *name, struct garbage *out)
{
	struct nkey key;
	struct trie_iter it;
	struct node *n;
	nkey_set(&key, name);
	trie_iter_seek(&it, &t->nodes.now, &key);
	while ((n = trie_iter_next(&it)) != NULL && name_is_within(n->name, name)) {
		garbage_add(out, n);
	}
}

/* Whether a name hides what is below it may have changed: then all that is below it has. */
static err_t
settle_below(struct zone_txn *t, const uint8_t *name)
{
	const struct node *old = zone_node(t->from, name), *new = node_of(t, name);
	bool did_hide = old != NULL && hides_below(old), does_hide = new != NULL && hides_below(new);
	if (did_hide == does_hide) {
		return OK;
	}
	struct garbage below = { 0 }; /* a list of nodes; they are not freed */
	names_below(t, name, &below);
	err_t err = OK;
	for (size_t i = 0; i < below.n && err == OK; i++) {
		const struct node *n = below.block[i];
		err = settle_path(t, n->name);
	}
	free(below.block);
	return err;
}

/* ---- referrals ---- */

static const struct node *
find_node(void *ctx, const uint8_t *name, size_t len)
{
	(void)len;
	return node_of(ctx, name);
}

/* The referral of a cut as its name servers and their addresses are now. */
static err_t
settle_referral(struct zone_txn *t, struct node *cut)
{
	struct referral_draft draft;
	bool is_wanted = (cut->flags & NODE_BELOW_CUT) == 0 &&
	                 referral_draft(cut, t->from->apex_len, find_node, t, &draft);
	if (!is_wanted) {
		return (cut->flags & NODE_REFERRAL) != 0 ? set_flags(t, cut, cut->flags & (uint16_t)~FRESH) : OK;
	}
	if (referral_is_same(cut, &draft)) {
		return OK;
	}
	struct node *new;
	TRY(referral_attach(cut, &draft, &new));
	return put_node(t, &t->nodes, new);
}

/* The delegation that a name belongs to, if any. */
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

static err_t
settle_referrals(struct zone_txn *t, struct edited *const *changed, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		TRY(settle_referral_above(t, changed[i]->name));
	}
	size_t made = t->fresh.n; /* the list grows; what is added to it is settled */
	for (size_t i = 0; i < made; i++) {
		struct node *node = t->fresh.block[i];
		if ((node->flags & NODE_CUT) != 0 && node_of(t, node->name) == node) {
			TRY(settle_referral(t, node));
		}
	}
	return OK;
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
		TRY(settle_path(t, list->at[i]->name));
		TRY(settle_below(t, list->at[i]->name));
	}
	return settle_referrals(t, list->at, list->n);
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
	return zone_settle(t->to);
}

err_t
zone_txn_commit(struct zone_txn **txn, struct zone **out, struct garbage *garbage)
{
	struct zone_txn *t = *txn;
	TRY(apply(t));
	for (size_t i = 0; i < t->fresh.n; i++) {
		struct node *n = t->fresh.block[i];
		n->flags &= (uint16_t)~FRESH;
	}
	struct zone *to = t->to;
	to->nodes = trie_commit(&t->nodes, garbage);
	to->nsec3 = trie_commit(&t->nsec3, garbage);
	garbage_move(garbage, &t->stale);
	garbage_add(garbage, (void *)(uintptr_t)t->from);
	t->to = NULL;
	txn_free(t);
	*txn = NULL;
	*out = to;
	return OK;
}
