#include "zone/trie_p.h"

#include <stdlib.h>

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

/* The recursion is at most as deep as the longest key: each branch is at a later place than the one above. */
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

static inline bool
is_above(const struct trie *t, const void *value, const struct nkey *key)
{
	return nkey_is_below(key, value_name(t, value), value_name_len(t, value));
}

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

/* Counts the values on the path of the descent that really are ancestors of the key.  Each is an ancestor of the next, so when the
 * last one is an ancestor of the key, all are.  Otherwise the key leaves the path somewhere, and the values whose keys do not reach
 * beyond that place are its ancestors. */
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
		if (has_twig(c, NKEY_NONE) && number != NKEY_NONE) { /* at most 127, since each is an ancestor of the next */
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
