/* Copy-on-write: makes the branches on the path to a change the transaction's own. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "zone/trie_p.h"

void
trie_begin(struct trie_txn *txn, const struct trie *from)
{
	*txn = (struct trie_txn){ .now = *from };
	txn->now.gen++;
}

static size_t
twigs_size(unsigned n)
{
	return sizeof(struct twigs) + n * sizeof(struct trie_cell);
}

static bool
is_ours(const struct trie_txn *txn, const struct trie_cell *branch)
{
	const struct twigs *t = branch->ptr;
	return t->gen == txn->now.gen;
}

/* Drops an array of `n` twigs that the new version does not have any more.  If it is not the transaction's own, the caller has
 * reserved room in the garbage. */
static void
drop_twigs(struct trie_txn *txn, struct twigs *t, unsigned n)
{
	txn->now.octets -= alloc_octets(twigs_size(n));
	if (t->gen == txn->now.gen) {
		free(t);
	} else {
		garbage_add(&txn->replaced, t, twigs_size(n));
	}
}

static struct twigs *
new_twigs(struct trie_txn *txn, unsigned n)
{
	struct twigs *t = malloc(twigs_size(n));
	if (t != NULL) {
		t->gen = txn->now.gen;
		txn->now.octets += alloc_octets(twigs_size(n));
	}
	return t;
}

/* The same, to replace an array of another version, for which it reserves room in the garbage. */
static struct twigs *
new_twigs_instead(struct trie_txn *txn, unsigned n)
{
	return garbage_reserve(&txn->replaced, 1) == OK ? new_twigs(txn, n) : NULL;
}

/* Makes the twigs of a branch the transaction's own; the branch itself must be so already. */
static err_t
own_twigs(struct trie_txn *txn, struct trie_cell *branch)
{
	if (is_ours(txn, branch)) {
		return OK;
	}
	unsigned n = twigs_n(branch);
	struct twigs *old = branch->ptr, *copy = new_twigs_instead(txn, n);
	if (copy == NULL) {
		return E_NOMEM;
	}
	memcpy(copy->cell, old->cell, n * sizeof copy->cell[0]);
	drop_twigs(txn, old, n);
	branch->ptr = copy;
	return OK;
}

/* Follows the key down, and makes the branches on the way the transaction's own.  All leaves below must agree with the key
 * before `end`. */
static inline err_t
own_path(struct trie_txn *txn, const struct nkey *key, size_t end, struct trie_cell **out)
{
	struct trie_cell *c = &txn->now.root;
	while (is_branch(c) && place(c) < end) {
		TRY(own_twigs(txn, c));
		c = twig(c, index_of(c, nkey_at(key, place(c))));
	}
	*out = c;
	return OK;
}

/* Adds a leaf as one more twig of a branch. */
static err_t
add_twig(struct trie_txn *txn, struct trie_cell *branch, unsigned number, void *value)
{
	unsigned n = twigs_n(branch), i = index_of(branch, number);
	struct twigs *old = branch->ptr, *new;
	if (is_ours(txn, branch)) {
		new = realloc(old, twigs_size(n + 1));
		if (new == NULL) {
			return E_NOMEM;
		}
		txn->now.octets += alloc_octets(twigs_size(n + 1)) - alloc_octets(twigs_size(n));
		memmove(&new->cell[i + 1], &new->cell[i], (n - i) * sizeof new->cell[0]);
	} else {
		new = new_twigs_instead(txn, n + 1);
		if (new == NULL) {
			return E_NOMEM;
		}
		memcpy(&new->cell[0], &old->cell[0], i * sizeof new->cell[0]);
		memcpy(&new->cell[i + 1], &old->cell[i], (n - i) * sizeof new->cell[0]);
		drop_twigs(txn, old, n);
	}
	new->cell[i] = (struct trie_cell){ .ptr = value };
	branch->ptr = new;
	branch->word |= BIT(number);
	return OK;
}

/* Replaces a cell by a new branch, with the cell and a leaf as its twigs. */
static err_t
split_cell(struct trie_txn *txn, struct trie_cell *c, const struct nkey_parting *p, void *value)
{
	struct twigs *new = new_twigs(txn, 2);
	if (new == NULL) {
		return E_NOMEM;
	}
	unsigned i = p->ours > p->theirs;
	new->cell[i] = (struct trie_cell){ .ptr = value };
	new->cell[1 - i] = *c;
	c->ptr = new;
	c->word = (uint64_t)p->at << PLACE_SHIFT | BIT(p->ours) | BIT(p->theirs);
	return OK;
}

static err_t
replace_value(struct trie_txn *txn, const struct nkey *key, void *value, void **old)
{
	struct trie_cell *c;
	TRY(own_path(txn, key, SIZE_MAX, &c));
	*old = c->ptr;
	c->ptr = value;
	return OK;
}

HOT void
trie_warm(const struct trie *t, const struct nkey *keys, size_t n)
{
	const struct trie_cell *at[TRIE_WARM_MAX];
	size_t left = n;
	ASSERT(n <= TRIE_WARM_MAX);
	for (size_t i = 0; i < n; i++) {
		at[i] = &t->root;
	}
	while (left != 0) {
		left = 0;
		for (size_t i = 0; i < n; i++) {
			if (!is_branch(at[i])) {
				continue;
			}
			const struct trie_cell *next = twig_of(at[i], nkey_at(&keys[i], place(at[i])));
			__builtin_prefetch(at[i]->ptr); /* fetches the generation */
			at[i] = next != NULL ? next : twig(at[i], 0);
			__builtin_prefetch(at[i]);
			left++;
		}
	}
	for (size_t i = 0; i < n && t->n != 0; i++) {
		__builtin_prefetch(value_name(t, at[i]->ptr));
	}
}

HOT err_t
trie_add(struct trie_txn *txn, const struct nkey *key, void *value)
{
	struct trie *t = &txn->now;
	if (t->n == 0) {
		t->root.ptr = value;
		t->n = 1;
		return OK;
	}
	struct nkey_parting p;
	if (!nkey_has_parting(key, value_name(t, nearest_leaf(t, key)), &p)) {
		return E_EXISTS;
	}
	struct trie_cell *c;
	TRY(own_path(txn, key, p.at, &c));
	if (is_branch(c) && place(c) == p.at) {
		TRY(add_twig(txn, c, p.ours, value));
	} else {
		TRY(split_cell(txn, c, &p, value));
	}
	t->n++;
	return OK;
}

err_t
trie_put(struct trie_txn *txn, void *value, void **old)
{
	struct nkey key;
	nkey_set(&key, value_name(&txn->now, value));
	ASSERT(value_name_len(&txn->now, value) == key.name_len);
	err_t err = trie_add(txn, &key, value);
	if (err == E_EXISTS) {
		return replace_value(txn, &key, value, old);
	}
	TRY(err);
	*old = NULL;
	return OK;
}

/* Removes twig `i` of a branch; a branch with a single twig left becomes that twig. */
static void
remove_twig(struct trie_txn *txn, struct trie_cell *branch, unsigned i, unsigned number)
{
	unsigned n = twigs_n(branch);
	struct twigs *old = branch->ptr;
	if (n == 2) {
		*branch = old->cell[1 - i];
		drop_twigs(txn, old, n);
		return;
	}
	memmove(&old->cell[i], &old->cell[i + 1], (n - i - 1) * sizeof old->cell[0]);
	/* the array itself shrinks when it is copied */
	txn->now.octets -= alloc_octets(twigs_size(n)) - alloc_octets(twigs_size(n - 1));
	branch->word &= ~BIT(number);
}

err_t
trie_claim(struct trie_txn *txn, const struct nkey *key)
{
	struct trie_cell *c;
	return trie_get(&txn->now, key) != NULL ? own_path(txn, key, SIZE_MAX, &c) : OK;
}

void *
trie_remove(struct trie_txn *txn, const struct nkey *key)
{
	struct trie *t = &txn->now;
	void *value = trie_get(t, key);
	if (value == NULL) {
		return NULL;
	}
	t->n--;
	struct trie_cell *c = &t->root, *branch = NULL;
	unsigned i = 0, number = 0;
	while (is_branch(c)) {
		ASSERT(is_ours(txn, c));
		branch = c;
		number = nkey_at(key, place(c));
		i = index_of(c, number);
		c = twig(c, i);
	}
	if (branch == NULL) {
		t->root = (struct trie_cell){ 0 };
	} else {
		remove_twig(txn, branch, i, number);
	}
	return value;
}

struct trie
trie_commit(struct trie_txn *txn, struct garbage *garbage)
{
	struct trie t = txn->now;
	garbage_move(garbage, &txn->replaced);
	*txn = (struct trie_txn){ 0 };
	return t;
}

/* Frees the transaction's own branches.  A branch of another version has none of these below it. */
static void
free_ours(const struct trie_txn *txn, const struct trie_cell *c)
{
	if (!is_branch(c) || !is_ours(txn, c)) {
		return;
	}
	unsigned n = twigs_n(c);
	for (unsigned i = 0; i < n; i++) {
		free_ours(txn, twig(c, i));
	}
	free(c->ptr);
}

void
trie_rollback(struct trie_txn *txn)
{
	free_ours(txn, &txn->now.root);
	garbage_forget(&txn->replaced);
	*txn = (struct trie_txn){ 0 };
}
