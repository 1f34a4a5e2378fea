/* The heap and the list against plain arrays. */
#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/list.h"

enum { NODES = 300, STEPS = 200000 };

static size_t
least_of(const struct heap_node *nodes)
{
	size_t least = NODES;
	for (size_t i = 0; i < NODES; i++) {
		if (nodes[i].place != 0 && (least == NODES || nodes[i].at < nodes[least].at)) {
			least = i;
		}
	}
	return least;
}

static void
the_first_is_the_least(void **state)
{
	(void)state;
	static struct heap_node nodes[NODES];
	struct heap h = { 0 };
	size_t n = 0;
	srand(1);
	assert_null(heap_first(&h));
	assert_int_equal(heap_reserve(&h, NODES), OK);
	for (unsigned step = 0; step < STEPS; step++) {
		struct heap_node *node = &nodes[(unsigned)rand() % NODES];
		n -= node->place != 0;
		if (rand() % 3 == 0) {
			heap_remove(&h, node);
		} else {
			heap_set(&h, node, (uint64_t)(rand() % 1000)); /* often the same as another's */
			n++;
		}
		assert_int_equal(h.n, n);
		if (step % 16 == 0) {
			size_t least = least_of(nodes);
			assert_true(least == NODES ? heap_first(&h) == NULL : heap_first(&h)->at == nodes[least].at);
		}
	}
	heap_fini(&h);
}

static void
nodes_come_out_in_order(void **state)
{
	(void)state;
	static struct heap_node nodes[NODES];
	struct heap h = { 0 };
	uint64_t last = 0;
	srand(2);
	memset(nodes, 0, sizeof nodes);
	assert_int_equal(heap_reserve(&h, NODES), OK);
	for (size_t i = 0; i < NODES; i++) {
		heap_set(&h, &nodes[i], (uint64_t)rand() << 32 | (uint64_t)rand()); /* all 64 bits count */
	}
	for (size_t i = 0; i < NODES; i++) {
		struct heap_node *first = heap_first(&h);
		assert_true(first->at >= last);
		last = first->at;
		heap_remove(&h, first);
		assert_int_equal(first->place, 0);
	}
	assert_null(heap_first(&h));
	heap_fini(&h);
}

struct item {
	int number;
	struct list_link link;
};

static void
assert_items(const struct list_link *head, const char *want)
{
	char got[16];
	size_t n = 0;
	for (const struct list_link *l = head->next; l != head; l = l->next) {
		assert_ptr_equal(l->next->prev, l);
		got[n++] = (char)('0' + LIST_ENTRY(l, const struct item, link)->number);
	}
	got[n] = '\0';
	assert_string_equal(got, want);
}

static void
lists_keep_order(void **state)
{
	(void)state;
	struct list_link a, b;
	struct item items[6] = { 0 };
	list_init(&a);
	list_init(&b);
	for (int i = 0; i < 6; i++) {
		items[i].number = i;
		assert_false(list_is_linked(&items[i].link));
		list_append(i < 4 ? &a : &b, &items[i].link);
		assert_true(list_is_linked(&items[i].link));
	}
	assert_items(&a, "0123");
	list_remove(&items[1].link);
	assert_false(list_is_linked(&items[1].link));
	assert_items(&a, "023");
	list_append_all(&b, &a);
	assert_items(&b, "45023");
	assert_true(list_is_empty(&a));
	list_append_all(&b, &a);
	assert_items(&b, "45023");
	list_append_all(&a, &b);
	assert_items(&a, "45023");
	assert_items(&b, "");
	while (!list_is_empty(&a)) {
		list_remove(a.next);
	}
	assert_items(&a, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_the_least),
		cmocka_unit_test(nodes_come_out_in_order),
		cmocka_unit_test(lists_keep_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
