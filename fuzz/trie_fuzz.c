/* Tries against a sorted array: the input is a program of puts, removals, commits and rollbacks, and after each
 * step every way of asking must agree.  Two versions are alive all the while. */
#include "zone/trie.h"

#include <stdlib.h>
#include <string.h>

struct item {
	uint8_t name_len;
	uint8_t name[32];
};

enum { ITEMS_MAX = 64, STEPS_MAX = 200 };

struct model {
	struct item *at[ITEMS_MAX];
	size_t n;
};

struct state {
	struct trie committed;
	struct model old; /* of `committed` */
	struct trie_txn txn;
	struct model now;
	struct garbage fresh, gone; /* items made, and replaced, in the transaction */
};

/* A name of up to three labels of up to three octets, out of a few bits each, so that names meet often. */
static bool
read_name(struct cur *c, uint8_t name[32])
{
	static const uint8_t octets[] = "ab-_0z*A\0.\377~{Z/9";
	uint8_t shape = cur_u8(c);
	size_t at = 0;
	for (unsigned label = 0; label < (shape & 3u); label++) {
		unsigned n = 1 + ((unsigned)shape >> (2 + 2 * label) & 3) % 3;
		name[at++] = (uint8_t)n;
		for (; n != 0; n--) {
			name[at++] = octets[cur_u8(c) % (sizeof octets - 1)];
		}
	}
	name[at] = 0;
	return c->err == OK;
}

static size_t
model_find(const struct model *m, const uint8_t *name, bool *is_there)
{
	size_t i = 0;
	while (i < m->n && name_compare(m->at[i]->name, name) < 0) {
		i++;
	}
	*is_there = i < m->n && name_is_equal(m->at[i]->name, name);
	return i;
}

static void
check_walk(const struct trie *t, const struct model *m)
{
	struct trie_iter it;
	trie_iter_first(&it, t);
	for (size_t i = 0; i < m->n; i++) {
		ASSERT(trie_iter_next(&it) == m->at[i]);
	}
	ASSERT(trie_iter_next(&it) == NULL && t->n == m->n);
}

static void
check_ancestors(const struct trie_path *path, const struct model *m, const uint8_t *name, const struct item *exact)
{
	unsigned n = 0;
	for (size_t i = 0; i < m->n; i++) {
		if (m->at[i] != exact && name_is_within(name, m->at[i]->name)) {
			ASSERT(n < path->n && path->ancestor[n] == m->at[i]);
			n++;
		}
	}
	ASSERT(n == path->n);
}

static void
check_name(const struct trie *t, const struct model *m, const uint8_t *name)
{
	bool is_there;
	size_t i = model_find(m, name, &is_there);
	struct item *exact = is_there ? m->at[i] : NULL, *before = i != 0 ? m->at[i - 1] : NULL;
	struct nkey key;
	struct trie_path path;
	struct trie_iter it;
	nkey_set(&key, name);
	trie_lookup(t, &key, &path);
	trie_iter_seek(&it, t, &key);
	ASSERT(trie_get(t, &key) == exact && path.exact == exact);
	ASSERT(trie_before(t, &key) == before);
	ASSERT(trie_at_or_before(t, &key) == (is_there ? exact : before));
	for (size_t j = i; j <= m->n; j++) {
		ASSERT(trie_iter_next(&it) == (j < m->n ? m->at[j] : NULL));
	}
	check_ancestors(&path, m, name, exact);
}

static void
put(struct state *s, const uint8_t *name)
{
	bool is_there;
	size_t i = model_find(&s->now, name, &is_there);
	if (!is_there && s->now.n == ITEMS_MAX) {
		return;
	}
	struct item *new = calloc(1, sizeof *new);
	ASSERT(new != NULL);
	new->name_len = (uint8_t)name_len(name);
	memcpy(new->name, name, new->name_len);
	garbage_add(&s->fresh, new, sizeof *new);
	void *old;
	ASSERT(trie_put(&s->txn, new, &old) == OK);
	ASSERT(old == (is_there ? s->now.at[i] : NULL));
	garbage_add(&s->gone, old, sizeof *old);
	if (!is_there) {
		memmove(&s->now.at[i + 1], &s->now.at[i], (s->now.n++ - i) * sizeof s->now.at[0]);
	}
	s->now.at[i] = new;
}

static void
take(struct state *s, const uint8_t *name)
{
	bool is_there;
	size_t i = model_find(&s->now, name, &is_there);
	struct nkey key;
	nkey_set(&key, name);
	ASSERT(trie_claim(&s->txn, &key) == OK);
	struct item *old = trie_remove(&s->txn, &key);
	ASSERT(old == (is_there ? s->now.at[i] : NULL));
	garbage_add(&s->gone, old, sizeof *old);
	if (is_there) {
		memmove(&s->now.at[i], &s->now.at[i + 1], (--s->now.n - i) * sizeof s->now.at[0]);
	}
}

static void
commit(struct state *s)
{
	struct garbage garbage = { 0 };
	struct trie next = trie_commit(&s->txn, &garbage);
	check_walk(&s->committed, &s->old); /* readers of the old version are still there */
	garbage_move(&garbage, &s->gone);
	garbage_free(&garbage);
	garbage_forget(&s->fresh);
	s->fresh = (struct garbage){ 0 };
	s->committed = next;
	s->old = s->now;
	trie_begin(&s->txn, &s->committed);
}

static void
rollback(struct state *s)
{
	trie_rollback(&s->txn);
	garbage_free(&s->fresh);
	garbage_forget(&s->gone);
	s->gone = (struct garbage){ 0 };
	s->now = s->old;
	trie_begin(&s->txn, &s->committed);
}

static void
step(struct state *s, struct cur *c)
{
	uint8_t name[32], what = cur_u8(c);
	if (!read_name(c, name)) {
		return;
	}
	if (what < 140) {
		put(s, name);
	} else if (what < 220) {
		take(s, name);
	} else if (what < 245) {
		commit(s);
	} else {
		rollback(s);
	}
	check_walk(&s->txn.now, &s->now);
	check_walk(&s->committed, &s->old);
	check_name(&s->txn.now, &s->now, name);
	check_name(&s->committed, &s->old, name);
}

static void
free_item(void *ctx, void *item)
{
	(void)ctx;
	free(item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur c = cur_over(data, size);
	struct state s = { .old = { .n = 0 } };
	trie_init(&s.committed, offsetof(struct item, name));
	trie_begin(&s.txn, &s.committed);
	for (unsigned i = 0; i < STEPS_MAX && cur_left(&c) != 0; i++) {
		step(&s, &c);
	}
	rollback(&s);
	trie_rollback(&s.txn);
	trie_fini(&s.committed, free_item, NULL);
	return 0;
}
