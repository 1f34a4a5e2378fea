#include "zone/trie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct item {
	unsigned number;
	struct name name;
};
#define ITEM_NAME_AT offsetof(struct item, name.oct)

/* The plain model: pointers to items, sorted. */
enum { MODEL_MAX = 600 };
struct model {
	struct item *at[MODEL_MAX];
	size_t n;
};

static struct item *
item_new(const uint8_t *name)
{
	static unsigned number;
	struct item *it = calloc(1, sizeof *it);
	assert_non_null(it);
	it->number = number++;
	name_set(&it->name, name);
	return it;
}

/* Where a name is or would be. */
static size_t
model_find(const struct model *m, const uint8_t *name, bool *is_there)
{
	size_t low = 0, high = m->n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (name_compare(m->at[middle]->name.oct, name) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*is_there = low < m->n && name_is_equal(m->at[low]->name.oct, name);
	return low;
}

static void
check_walk(const struct trie *t, const struct model *m)
{
	assert_int_equal(t->n, m->n);
	struct trie_iter it;
	trie_iter_first(&it, t);
	for (size_t i = 0; i < m->n; i++) {
		assert_ptr_equal(trie_iter_next(&it), m->at[i]);
	}
	assert_null(trie_iter_next(&it));
	assert_null(trie_iter_next(&it));
	assert_ptr_equal(trie_first(t), m->n != 0 ? m->at[0] : NULL);
	assert_ptr_equal(trie_last(t), m->n != 0 ? m->at[m->n - 1] : NULL);
}

static void
check_lookup(const struct trie *t, const struct model *m, const uint8_t *name, struct item *exact)
{
	struct nkey key;
	nkey_set(&key, name);
	assert_ptr_equal(trie_get(t, &key), exact);
	struct trie_path path;
	memset(&path, 0xAA, sizeof path);
	trie_lookup(t, &key, &path);
	assert_ptr_equal(path.exact, exact);
	unsigned n = 0;
	for (size_t i = 0; i < m->n; i++) {
		const uint8_t *other = m->at[i]->name.oct;
		if (m->at[i] != exact && name_is_within(name, other)) {
			assert_true(n < path.n);
			assert_ptr_equal(path.ancestor[n], m->at[i]);
			n++;
		}
	}
	assert_int_equal(path.n, n);
}

/* From each name at or above this one, with the rest of the key alone. */
static void
check_lookup_below(const struct trie *t, const struct model *m, const uint8_t *name, struct item *exact)
{
	struct nkey key, rest;
	nkey_set(&key, name);
	for (size_t i = 0; i < m->n; i++) {
		const struct name *above = &m->at[i]->name;
		if (name_is_within(name, above->oct)) {
			size_t len = nkey_suffix_len(&key, name_labels(above->oct)), n = key.name_len - (size_t)above->len;
			const struct trie_cell *subtree = trie_subtree(t, &key, len);
			memset(&rest, 0xAA, sizeof rest);
			nkey_set_below(&rest, len, name, key.name_len, n);
			assert_int_equal(rest.len, key.len);
			assert_ptr_equal(trie_get_below(t, subtree, &rest, n), exact);
		}
	}
}

static void
check_name(const struct trie *t, const struct model *m, const uint8_t *name)
{
	struct nkey key;
	nkey_set(&key, name);
	bool is_there;
	size_t i = model_find(m, name, &is_there);
	struct item *exact = is_there ? m->at[i] : NULL, *before = i != 0 ? m->at[i - 1] : NULL;
	check_lookup(t, m, name, exact);
	check_lookup_below(t, m, name, exact);
	assert_ptr_equal(trie_before(t, &key), before);
	assert_ptr_equal(trie_at_or_before(t, &key), is_there ? exact : before);
	struct trie_iter it;
	trie_iter_seek(&it, t, &key);
	for (size_t j = i; j <= m->n && j < i + 40; j++) {
		assert_ptr_equal(trie_iter_next(&it), j < m->n ? m->at[j] : NULL);
	}
}

static size_t
below(unsigned *seed, size_t n)
{
	return (size_t)rand_r(seed) % n;
}

/* Names that share much: few octets, few labels, now and then a long one. */
static void
random_name(unsigned *seed, uint8_t *out)
{
	static const uint8_t octets[] = "abAB-_09\0*.~\377{";
	size_t at = 0, kinds = below(seed, 4) == 0 ? sizeof octets - 1 : 3;
	for (size_t labels = below(seed, 5); labels > 0; labels--) {
		size_t n = 1 + below(seed, below(seed, 20) == 0 ? 40 : 3);
		out[at++] = (uint8_t)n;
		for (; n != 0; n--) {
			out[at++] = octets[below(seed, kinds)];
		}
	}
	out[at] = 0;
}

struct version {
	struct trie trie;
	struct model model;
	struct garbage garbage; /* what the next version replaced of this one: branches and values */
};

static void
txn_put(struct trie_txn *txn, struct model *m, const uint8_t *name, struct garbage *fresh, struct garbage *gone)
{
	struct item *it = item_new(name);
	void *old = it;
	garbage_add(fresh, it, sizeof *it);
	assert_int_equal(trie_put(txn, it, &old), OK);
	bool is_there;
	size_t i = model_find(m, name, &is_there);
	if (is_there) {
		assert_ptr_equal(old, m->at[i]);
		garbage_add(gone, old, sizeof *old);
	} else {
		assert_null(old);
		memmove(&m->at[i + 1], &m->at[i], (m->n - i) * sizeof m->at[0]);
		m->n++;
	}
	m->at[i] = it;
}

static void
txn_remove(struct trie_txn *txn, struct model *m, const uint8_t *name, struct garbage *gone)
{
	struct nkey key;
	nkey_set(&key, name);
	bool is_there;
	size_t i = model_find(m, name, &is_there);
	assert_int_equal(trie_claim(txn, &key), OK);
	struct item *got = trie_remove(txn, &key);
	assert_ptr_equal(got, is_there ? m->at[i] : NULL);
	if (is_there) {
		garbage_add(gone, got, sizeof *got);
		memmove(&m->at[i], &m->at[i + 1], (m->n - i - 1) * sizeof m->at[0]);
		m->n--;
	}
}

/* Random changes on top of a version; committed or rolled back. */
static bool
random_txn(unsigned *seed, struct version *old, struct version *new)
{
	struct garbage fresh = { 0 }, gone = { 0 };
	struct trie_txn txn;
	uint8_t name[NAME_WIRE_MAX + 1];
	trie_begin(&txn, &old->trie);
	*new = (struct version){ .model = old->model };
	size_t puts = below(seed, 100);
	for (size_t changes = below(seed, 60); changes > 0; changes--) {
		if (below(seed, 100) < puts && new->model.n < MODEL_MAX) {
			random_name(seed, name);
			txn_put(&txn, &new->model, name, &fresh, &gone);
		} else if (new->model.n != 0 && below(seed, 3) != 0) {
			name_lower(name, new->model.at[below(seed, new->model.n)]->name.oct);
			txn_remove(&txn, &new->model, name, &gone);
		} else {
			random_name(seed, name);
			txn_remove(&txn, &new->model, name, &gone);
		}
	}
	check_walk(&txn.now, &new->model);
	check_walk(&old->trie, &old->model);
	if (below(seed, 4) == 0) {
		trie_rollback(&txn);
		garbage_free(&fresh);
		garbage_forget(&gone);
		return false;
	}
	garbage_forget(&fresh);
	new->trie = trie_commit(&txn, &old->garbage);
	garbage_move(&old->garbage, &gone);
	return true;
}

/* Names that are in one version alone, or have another value in the other, and how many steps it took to find them. */
struct differences {
	size_t n, steps;
};

static int
order_of(const struct item *a, const struct item *b)
{
	return a == NULL ? 1 : b == NULL ? -1 : a == b ? 0 : name_compare(a->name.oct, b->name.oct);
}

static struct differences
side_by_side(const struct trie *old, const struct trie *new)
{
	struct differences d = { 0 };
	struct trie_iter in_old, in_new;
	trie_iter_first(&in_old, old);
	trie_iter_first(&in_new, new);
	const struct item *a = trie_iter_next(&in_old), *b = trie_iter_next(&in_new);
	for (; a != NULL || b != NULL; d.steps++) {
		int order = order_of(a, b);
		d.n += a != b;
		if (a == b) {
			trie_iter_skip_shared(&in_old, &in_new);
		}
		a = order <= 0 ? trie_iter_next(&in_old) : a;
		b = order >= 0 ? trie_iter_next(&in_new) : b;
	}
	return d;
}

static void
check_side_by_side(const struct version *old, const struct version *new)
{
	size_t n = 0;
	for (size_t i = 0, k = 0; i < old->model.n || k < new->model.n;) {
		const struct item *a = i < old->model.n ? old->model.at[i] : NULL, *b = k < new->model.n ? new->model.at[k] : NULL;
		int order = order_of(a, b);
		n += a != b;
		i += order <= 0;
		k += order >= 0;
	}
	assert_int_equal(side_by_side(&old->trie, &new->trie).n, n);
	assert_int_equal(side_by_side(&new->trie, &old->trie).n, n);
}

enum { VERSIONS = 5 };

static void
free_item(void *ctx, void *item)
{
	unsigned *n = ctx;
	(*n)++;
	free(item);
}

/* A line of versions; the last few stay readable while newer ones are made. */
static void
random_transactions_match_a_sorted_array(void **state)
{
	(void)state;
	for (unsigned run = 1; run <= 12; run++) {
		unsigned seed = run;
		static struct version line[VERSIONS];
		memset(line, 0, sizeof line);
		trie_init(&line[0].trie, ITEM_NAME_AT);
		size_t newest = 0;
		for (int i = 0; i < 60; i++) {
			struct version *old = &line[newest % VERSIONS], *new = &line[(newest + 1) % VERSIONS];
			garbage_free(&new->garbage); /* the oldest goes */
			if (!random_txn(&seed, old, new)) {
				continue;
			}
			newest++;
			for (size_t v = newest < VERSIONS - 1 ? 0 : newest - VERSIONS + 2; v <= newest; v++) {
				check_walk(&line[v % VERSIONS].trie, &line[v % VERSIONS].model);
				check_side_by_side(&line[v % VERSIONS], new);
			}
			for (int j = 0; j < 20; j++) {
				uint8_t name[NAME_WIRE_MAX + 1];
				random_name(&seed, name);
				check_name(&new->trie, &new->model, name);
				check_name(&old->trie, &old->model, name);
			}
		}
		unsigned n = 0;
		for (size_t v = 0; v < VERSIONS; v++) {
			garbage_free(&line[v].garbage);
		}
		struct version *last = &line[newest % VERSIONS];
		trie_fini(&last->trie, free_item, &n);
		assert_int_equal(n, last->model.n);
	}
}

static void
put_text(struct trie_txn *txn, struct model *m, const char *text)
{
	struct name n;
	struct garbage none = { 0 };
	assert_int_equal(name_parse(text, strlen(text), NULL, &n), OK);
	txn_put(txn, m, n.oct, &none, &none);
	garbage_forget(&none);
}

static void
ancestors_of_names_that_leave_the_path(void **state)
{
	(void)state;
	struct model m = { .n = 0 };
	struct trie t;
	struct trie_txn txn;
	struct garbage none = { 0 };
	trie_init(&t, ITEM_NAME_AT);
	trie_begin(&txn, &t);
	static const char *const names[] = {
		".", "test.", "example.test.", "aaaaaaaaaaaaaaaaaaaaaaaa.example.test.",
		"b.aaaaaaaaaaaaaaaaaaaaaaaa.example.test.", "c.aaaaaaaaaaaaaaaaaaaaaaaa.example.test.",
		"c.c.aaaaaaaaaaaaaaaaaaaaaaaa.example.test.",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		put_text(&txn, &m, names[i]);
	}
	t = trie_commit(&txn, &none);
	assert_int_equal(none.n, 0); /* nobody else had it: all in place */
	static const char *const asked[] = {
		"c.c.aaaaaaaaaaaaaaaaaaaaaaaa.example.test.", "c.c.aaaaaaaaaaaaaaaaxaaaaaaa.example.test.",
		"c.c.aaaaaaaaaaaaaaaaaaaaaaaa.exxmple.test.", "c.c.aaaaaaaaaaaaaaaaaaaaaaaa.example.txst.",
		"x.c.c.aaaaaaaaaaaaaaaaaaaaaaaa.example.test.", "test.", ".", "tes.", "testt.", "a.test.",
		"aaaaaaaaaaaaaaaaaaaaaaaaa.example.test.", "aaaaaaaaaaaaaaaaaaaaaaa.example.test.",
	};
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct name n;
		assert_int_equal(name_parse(asked[i], strlen(asked[i]), NULL, &n), OK);
		check_name(&t, &m, n.oct);
	}
	unsigned n = 0;
	trie_fini(&t, free_item, &n);
	assert_int_equal(n, ARRAY_LEN(names));
	assert_null(trie_first(&t));
}

/* All 128 names on the way to the longest chain of labels. */
static void
deepest_path(void **state)
{
	(void)state;
	struct model m = { .n = 0 };
	struct trie t;
	struct trie_txn txn;
	struct garbage none = { 0 };
	uint8_t longest[NAME_WIRE_MAX] = { 0 };
	for (size_t i = 0; i < 127; i++) {
		longest[2 * i] = 1;
		longest[2 * i + 1] = 0xFF;
	}
	trie_init(&t, ITEM_NAME_AT);
	trie_begin(&txn, &t);
	for (size_t i = 0; i < 128; i++) {
		txn_put(&txn, &m, longest + 2 * i, &none, &none);
	}
	t = trie_commit(&txn, &none);
	assert_int_equal(t.n, 128);
	check_walk(&t, &m);
	check_name(&t, &m, longest);
	longest[1] = 'a';
	check_name(&t, &m, longest);
	longest[129] = 'a';
	check_name(&t, &m, longest);
	garbage_forget(&none);
	unsigned n = 0;
	trie_fini(&t, free_item, &n);
	assert_int_equal(n, 128);
}

/* One value of twenty thousand is replaced: the walk over both versions sees little else. */
static void
what_versions_share_is_passed_over(void **state)
{
	(void)state;
	enum { N = 20000 };
	struct trie_txn txn;
	struct trie old;
	struct garbage garbage = { 0 };
	char text[32];
	struct name n;
	void *replaced;
	trie_init(&old, ITEM_NAME_AT);
	trie_begin(&txn, &old);
	for (unsigned i = 0; i < N; i++) {
		snprintf(text, sizeof text, "zone%05u.example.", i);
		assert_int_equal(name_parse(text, strlen(text), NULL, &n), OK);
		assert_int_equal(trie_put(&txn, item_new(n.oct), &replaced), OK);
	}
	old = trie_commit(&txn, &garbage);
	trie_begin(&txn, &old);
	assert_int_equal(name_parse("zone12345.example.", 18, NULL, &n), OK);
	assert_int_equal(trie_put(&txn, item_new(n.oct), &replaced), OK);
	struct trie new = trie_commit(&txn, &garbage);
	struct differences d = side_by_side(&old, &new);
	assert_int_equal(d.n, 1);
	assert_true(d.steps < 100);
	d = side_by_side(&new, &new);
	assert_int_equal(d.n, 0);
	assert_int_equal(d.steps, 1);
	garbage_add(&garbage, replaced, sizeof *replaced);
	garbage_free(&garbage);
	unsigned freed = 0;
	trie_fini(&new, free_item, &freed);
	assert_int_equal(freed, N);
}

static void
empty_trie(void **state)
{
	(void)state;
	struct model m = { .n = 0 };
	struct trie t;
	trie_init(&t, ITEM_NAME_AT);
	check_walk(&t, &m);
	check_name(&t, &m, name_root);
	check_name(&t, &m, (const uint8_t *)"\1a");
	struct trie_txn txn;
	trie_begin(&txn, &t);
	trie_rollback(&txn);
	trie_fini(&t, NULL, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_trie),
		cmocka_unit_test(ancestors_of_names_that_leave_the_path),
		cmocka_unit_test(deepest_path),
		cmocka_unit_test(what_versions_share_is_passed_over),
		cmocka_unit_test(random_transactions_match_a_sorted_array),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
