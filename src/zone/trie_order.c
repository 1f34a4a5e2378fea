/* Canonical order: the value before a name, and iteration. */
#include "zone/trie_p.h"

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

/* The last value before the key; with is_at_good, the last one at or before it. */
static void *
find_before(const struct trie *t, const struct nkey *key, bool is_at_good)
{
	if (t->n == 0) {
		return NULL;
	}
	void *leaf = nearest_leaf(t, key);
	struct nkey_parting p = { .at = SIZE_MAX }; /* stays so when the leaf has the key */
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
	} else if (p.at != SIZE_MAX && p.ours > p.theirs) { /* all values below are before the key */
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
		it->at[it->depth - 1].next++; /* the path itself is visited on a deeper level */
		iter_push(it, twig(c, 0), i, twigs_n(c));
		c = twig(c, i);
	}
	if (is_branch(c) && place(c) == p.at) {
		it->at[it->depth - 1].next++;
		iter_push(it, twig(c, 0), index_of(c, p.ours), twigs_n(c));
	} else if (p.at != SIZE_MAX && p.ours > p.theirs) {
		it->at[it->depth - 1].next++; /* all values below are before the key */
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
