#include "zone/trie.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* An array of twigs may be changed in place only by the transaction whose generation it has: any other
 * version may share it.  64 bits do not wrap. */
struct twigs {
	uint64_t gen;
	struct trie_cell cell[];
};

enum { PLACE_SHIFT = 48 };
#define BIT(number) (UINT64_C(1) << (number))
#define NUMBERS_MASK (BIT(NKEY_NUMBERS) - 1)

_Static_assert(NKEY_NUMBERS <= (int)PLACE_SHIFT && NKEY_MAX < BIT(64 - PLACE_SHIFT), "a branch is one word");

/* Counting bits is most of a step down the trie, and x86-64 has had an instruction for it since 2008, which may
 * not be assumed all the same: the lookups are compiled twice, and the loader takes what the machine can
 * do.  (Not for the sanitizers: they are not up yet when it does.) */
#if defined(__x86_64__) && !defined(__POPCNT__) && !defined(__SANITIZE_ADDRESS__) && \
        !defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define HOT [[gnu::target_clones("default", "popcnt")]]
#else
#define HOT
#endif

static inline unsigned
count_bits(uint64_t x)
{
	return (unsigned)__builtin_popcountll(x);
}

static inline bool
is_branch(const struct trie_cell *c)
{
	return c->word != 0;
}

static inline size_t
place(const struct trie_cell *c)
{
	return c->word >> PLACE_SHIFT;
}

static inline bool
has_twig(const struct trie_cell *c, unsigned number)
{
	return (c->word >> number & 1) != 0;
}

/* How many twigs come before that of a number. */
static inline unsigned
index_of(const struct trie_cell *c, unsigned number)
{
	return count_bits(c->word & (BIT(number) - 1));
}

/* The twig of a number, or NULL.  Shifted so that the number's bit is the highest, the word says whether there is
 * one, and counting what is left of it is one more than its index. */
static inline const struct trie_cell *
twig_of(const struct trie_cell *c, unsigned number)
{
	uint64_t up_to = c->word << (63 - number);
	const struct twigs *t = c->ptr;
	return (int64_t)up_to < 0 ? &t->cell[count_bits(up_to) - 1] : NULL;
}

static inline unsigned
twigs_n(const struct trie_cell *c)
{
	return count_bits(c->word & NUMBERS_MASK);
}

static inline struct trie_cell *
twig(const struct trie_cell *c, unsigned i)
{
	struct twigs *t = c->ptr;
	return &t->cell[i];
}

static inline const uint8_t *
value_name(const struct trie *t, const void *value)
{
	return (const uint8_t *)value + t->name_at;
}

static inline size_t
value_name_len(const struct trie *t, const void *value)
{
	return value_name(t, value)[-1];
}

static inline bool
is_at(const struct trie *t, const void *value, const struct nkey *key)
{
	return nkey_is_name(key, value_name(t, value), value_name_len(t, value));
}

static inline bool
is_above(const struct trie *t, const void *value, const struct nkey *key)
{
	return nkey_is_below(key, value_name(t, value), value_name_len(t, value));
}

void
trie_init(struct trie *t, size_t name_at)
{
	ASSERT(name_at >= 1 && name_at <= UINT16_MAX);
	*t = (struct trie){ .name_at = (uint16_t)name_at };
}

struct freeing {
	void (*value)(void *ctx, void *value);
	void *ctx;
};

/* As deep as the longest key at most: each branch is at a later place than the one above. */
static void
free_cell(const struct trie_cell *c, const struct freeing *f)
{
	if (is_branch(c)) {
		unsigned n = twigs_n(c);
		for (unsigned i = 0; i < n; i++) {
			free_cell(twig(c, i), f);
		}
		free(c->ptr);
	} else if (f->value != NULL && c->ptr != NULL) {
		f->value(f->ctx, c->ptr);
	}
}

void
trie_fini(struct trie *t, void (*free_value)(void *ctx, void *value), void *ctx)
{
	free_cell(&t->root, &(struct freeing){ free_value, ctx });
	*t = (struct trie){ .name_at = t->name_at };
}

/* ---- lookup ---- */

HOT void *
trie_get(const struct trie *t, const struct nkey *key)
{
	const struct trie_cell *c = &t->root;
	while (is_branch(c)) {
		c = twig_of(c, nkey_at(key, place(c)));
		if (c == NULL) {
			return NULL;
		}
	}
	return c->ptr != NULL && is_at(t, c->ptr, key) ? c->ptr : NULL;
}

HOT const struct trie_cell *
trie_subtree(const struct trie *t, const struct nkey *key, size_t len)
{
	const struct trie_cell *c = &t->root;
	while (is_branch(c) && place(c) < len) {
		c = twig(c, index_of(c, nkey_at(key, place(c))));
	}
	return c;
}

HOT void *
trie_get_below(const struct trie *t, const struct trie_cell *subtree, const struct nkey *key, size_t n)
{
	const struct trie_cell *c = subtree;
	while (is_branch(c)) {
		c = twig_of(c, nkey_at(key, place(c)));
		if (c == NULL) {
			return NULL;
		}
	}
	bool is_it = value_name_len(t, c->ptr) == key->name_len &&
	             nkey_octets_are_equal(key->name, value_name(t, c->ptr), n);
	return is_it ? c->ptr : NULL;
}

/* Of the values that the descent passed, those that are ancestors indeed.  All of them stood on one
 * path, so they are ancestors of one another: when the last is one of the key, all are.  Otherwise the
 * key leaves the path somewhere: those whose keys end before that are. */
static unsigned
ancestors_n(const struct trie *t, const struct nkey *key, const struct trie_path *path, const uint16_t *ends,
            unsigned n)
{
	if (n == 0 || is_above(t, path->ancestor[n - 1], key)) {
		return n;
	}
	struct nkey_parting p;
	if (nkey_has_parting(key, value_name(t, path->ancestor[n - 1]), &p)) {
		while (n != 0 && ends[n - 1] > p.at) {
			n--;
		}
	}
	return n;
}

HOT void
trie_lookup(const struct trie *t, const struct nkey *key, struct trie_path *out)
{
	uint16_t ends[TRIE_ANCESTORS_MAX]; /* length of each candidate's key */
	const struct trie_cell *c = &t->root;
	unsigned n = 0;
	out->exact = NULL;
	while (is_branch(c)) {
		size_t at = place(c);
		unsigned number = nkey_at(key, at);
		if (has_twig(c, NKEY_NONE) && number != NKEY_NONE) { /* each an ancestor of the next: 127 at most */
			ends[n] = (uint16_t)at;
			out->ancestor[n++] = twig(c, 0)->ptr;
		}
		c = twig_of(c, number);
		if (c == NULL) {
			out->n = ancestors_n(t, key, out, ends, n);
			return;
		}
	}
	if (c->ptr != NULL && is_at(t, c->ptr, key)) {
		out->exact = c->ptr;
		out->n = n;
		return;
	}
	out->n = ancestors_n(t, key, out, ends, n);
	if (out->n == n && c->ptr != NULL && is_above(t, c->ptr, key)) {
		ASSERT(n < TRIE_ANCESTORS_MAX);
		out->ancestor[out->n++] = c->ptr;
	}
}

/* ---- order ---- */

/* A leaf that agrees with the key up to where any leaf does.  The trie is not empty. */
static void *
nearest_leaf(const struct trie *t, const struct nkey *key)
{
	const struct trie_cell *c = &t->root;
	while (is_branch(c)) {
		unsigned number = nkey_at(key, place(c));
		c = twig(c, has_twig(c, number) ? index_of(c, number) : 0);
	}
	return c->ptr;
}

static void *
least(const struct trie_cell *c)
{
	while (is_branch(c)) {
		c = twig(c, 0);
	}
	return c->ptr;
}

static void *
greatest(const struct trie_cell *c)
{
	while (is_branch(c)) {
		c = twig(c, twigs_n(c) - 1);
	}
	return c->ptr;
}

void *
trie_first(const struct trie *t)
{
	return least(&t->root);
}

void *
trie_last(const struct trie *t)
{
	return greatest(&t->root);
}

/* Value before the key; or at it, when is_at_good. */
static void *
find_before(const struct trie *t, const struct nkey *key, bool is_at_good)
{
	if (t->n == 0) {
		return NULL;
	}
	void *leaf = nearest_leaf(t, key);
	struct nkey_parting p = { .at = SIZE_MAX }; /* stays when the leaf is the key's */
	if (!nkey_has_parting(key, value_name(t, leaf), &p) && is_at_good) {
		return leaf;
	}
	const struct trie_cell *c = &t->root, *smaller = NULL; /* twig just before the path */
	while (is_branch(c) && place(c) < p.at) {
		unsigned i = index_of(c, nkey_at(key, place(c)));
		smaller = i != 0 ? twig(c, i - 1) : smaller;
		c = twig(c, i);
	}
	if (is_branch(c) && place(c) == p.at) { /* the key would be one more twig here */
		unsigned i = index_of(c, p.ours);
		smaller = i != 0 ? twig(c, i - 1) : smaller;
	} else if (p.at != SIZE_MAX && p.ours > p.theirs) { /* all below is before the key */
		smaller = c;
	}
	return smaller != NULL ? greatest(smaller) : NULL;
}

void *
trie_at_or_before(const struct trie *t, const struct nkey *key)
{
	return find_before(t, key, true);
}

void *
trie_before(const struct trie *t, const struct nkey *key)
{
	return find_before(t, key, false);
}

static void
iter_push(struct trie_iter *it, const struct trie_cell *cells, unsigned next, unsigned n)
{
	ASSERT(it->depth <= TRIE_DEPTH_MAX);
	it->at[it->depth].cells = cells;
	it->at[it->depth].next = next;
	it->at[it->depth].n = n;
	it->depth++;
}

void
trie_iter_first(struct trie_iter *it, const struct trie *t)
{
	it->depth = 0;
	iter_push(it, &t->root, 0, t->n != 0);
}

void
trie_iter_seek(struct trie_iter *it, const struct trie *t, const struct nkey *key)
{
	trie_iter_first(it, t);
	if (t->n == 0) {
		return;
	}
	struct nkey_parting p = { .at = SIZE_MAX };
	nkey_has_parting(key, value_name(t, nearest_leaf(t, key)), &p);
	const struct trie_cell *c = &t->root;
	while (is_branch(c) && place(c) < p.at) {
		unsigned i = index_of(c, nkey_at(key, place(c)));
		it->at[it->depth - 1].next++; /* the path itself is visited deeper down */
		iter_push(it, twig(c, 0), i, twigs_n(c));
		c = twig(c, i);
	}
	if (is_branch(c) && place(c) == p.at) {
		it->at[it->depth - 1].next++;
		iter_push(it, twig(c, 0), index_of(c, p.ours), twigs_n(c));
	} else if (p.at != SIZE_MAX && p.ours > p.theirs) {
		it->at[it->depth - 1].next++; /* all below is before the key */
	}
}

void *
trie_iter_next(struct trie_iter *it)
{
	while (it->depth != 0) {
		if (it->at[it->depth - 1].next == it->at[it->depth - 1].n) {
			it->depth--;
			continue;
		}
		const struct trie_cell *c = &it->at[it->depth - 1].cells[it->at[it->depth - 1].next++];
		if (!is_branch(c)) {
			return c->ptr;
		}
		iter_push(it, twig(c, 0), 0, twigs_n(c));
	}
	return NULL;
}

void
trie_iter_skip_shared(struct trie_iter *a, struct trie_iter *b)
{
	while (a->depth != 0 && b->depth != 0 && a->at[a->depth - 1].cells == b->at[b->depth - 1].cells &&
	       a->at[a->depth - 1].next == b->at[b->depth - 1].next) {
		a->depth--;
		b->depth--;
	}
}

/* ---- changing ---- */

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

/* Gives back an array of `n` that this version does not have any more.  For one that is not ours there is room in the garbage. */
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

/* The same in the place of one that is not ours, with room for that in the garbage. */
static struct twigs *
new_twigs_instead(struct trie_txn *txn, unsigned n)
{
	return garbage_reserve(&txn->replaced, 1) == OK ? new_twigs(txn, n) : NULL;
}

/* Makes the twigs of a branch (which is itself ours) the transaction's own. */
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

/* Follows the key, which all leaves below agree with before `end`, through branches made our own. */
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

/* A leaf as one more twig of a branch. */
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

/* A new branch in the place of a cell, with the cell and a leaf as its twigs. */
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
			__builtin_prefetch(at[i]->ptr); /* the generation */
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

/* Takes twig `i` out of a branch; one that would keep a single twig becomes that twig. */
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
	txn->now.octets -= alloc_octets(twigs_size(n)) - alloc_octets(twigs_size(n - 1)); /* the rest when it is copied */
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

/* What is not ours holds nothing that is. */
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
