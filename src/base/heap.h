/* base/heap.h -- a binary heap of things by time, for timers: which thing is due next.
 *
 * The nodes are members of the things themselves; the heap owns only its array of pointers to them.  Zero-initialised,
 * heap and nodes are ready.
 * Cost: O(log n) to set or remove a thing; to ask which is first costs nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct heap_node {
	uint64_t at;  /* what the heap is sorted by; changed by heap_set() alone */
	size_t place; /* in the heap, from 1; 0: not in it */
};

struct heap {
	struct heap_node **node; /* owned, the nodes are borrowed */
	size_t n, cap;
};

/* Room for so many in all; heap_set() wants it.  E_NOMEM. */
err_t heap_reserve(struct heap *h, size_t n);

/* Puts the node in, for which there is room, or moves it.  Takes no memory. */
void heap_set(struct heap *h, struct heap_node *node, uint64_t at);
void heap_remove(struct heap *h, struct heap_node *node); /* one that is not in it is left alone */
void heap_fini(struct heap *h);                           /* the nodes keep their places: they are gone too */

/* The node with the least `at`, or NULL. */
static inline struct heap_node *
heap_first(const struct heap *h)
{
	return h->n != 0 ? h->node[0] : NULL;
}
