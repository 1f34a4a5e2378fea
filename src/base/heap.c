#include "base/heap.h"

#include <stdlib.h>

#include "base/alloc.h"

enum { CAP_MIN = 64 };

static void
put(struct heap *h, size_t i, struct heap_node *node)
{
	h->node[i] = node;
	node->place = i + 1;
}

static void
sift_up(struct heap *h, size_t i, struct heap_node *node)
{
	while (i != 0 && h->node[(i - 1) / 2]->at > node->at) {
		put(h, i, h->node[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(h, i, node);
}

static void
sift_down(struct heap *h, size_t i, struct heap_node *node)
{
	for (size_t child; (child = 2 * i + 1) < h->n; i = child) {
		if (child + 1 < h->n && h->node[child + 1]->at < h->node[child]->at) {
			child++;
		}
		if (h->node[child]->at >= node->at) {
			break;
		}
		put(h, i, h->node[child]);
	}
	put(h, i, node);
}

static void
settle(struct heap *h, size_t i, struct heap_node *node)
{
	if (i != 0 && h->node[(i - 1) / 2]->at > node->at) {
		sift_up(h, i, node);
	} else {
		sift_down(h, i, node);
	}
}

err_t
heap_reserve(struct heap *h, size_t n)
{
	if (n > h->cap) {
		size_t cap = 2 * h->cap > n ? 2 * h->cap : n > CAP_MIN ? n : CAP_MIN;
		struct heap_node **grown = realloc(h->node, cap * sizeof(struct heap_node *));
		if (grown == NULL) {
			return E_NOMEM;
		}
		h->node = grown;
		h->cap = cap;
	}
	return OK;
}

void
heap_set(struct heap *h, struct heap_node *node, uint64_t at)
{
	node->at = at;
	if (node->place != 0) {
		settle(h, node->place - 1, node);
		return;
	}
	ASSERT(h->n < h->cap);
	h->n++;
	sift_up(h, h->n - 1, node);
}

void
heap_remove(struct heap *h, struct heap_node *node)
{
	if (node->place == 0) {
		return;
	}
	size_t i = node->place - 1;
	struct heap_node *last = h->node[--h->n];
	if (last != node) {
		settle(h, i, last);
	}
	node->place = 0;
}

void
heap_fini(struct heap *h)
{
	free(h->node);
	*h = (struct heap){ 0 };
}
