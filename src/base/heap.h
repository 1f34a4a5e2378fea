/* base/heap.h -- a binary heap of items by time, for timers: finds the item that is due next.
 *
 * The nodes are members of the items; the heap owns only its array of pointers to them.  Heap and nodes are ready for use when
 * zeroed.  Cost: O(log n) to set or remove an item; finding the first one costs nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct heap_node {
	uint64_t at;  /* the heap is sorted by this; only heap_set() changes it */
	size_t place; /* place in the heap, from 1; 0: not in it */
};

struct heap {
	struct heap_node **node; /* owned, the nodes are borrowed */
	size_t n, cap;
};

/* Makes room for `n` nodes in all, which heap_set() needs.  E_NOMEM. */
err_t heap_reserve(struct heap *h, size_t n);

/* Inserts a node, for which there must be room, or moves it.  Takes no memory. */
void heap_set(struct heap *h, struct heap_node *node, uint64_t at);
void heap_remove(struct heap *h, struct heap_node *node); /* does nothing if the node is not in the heap */
void heap_fini(struct heap *h);                           /* the nodes must not be used any more */

/* The node with the least `at`, or NULL. */
static inline struct heap_node *
heap_first(const struct heap *h)
{
	return h->n != 0 ? h->node[0] : NULL;
}
