#include "zone/garbage.h"

#include <stdlib.h>

#include "base/alloc.h"

struct garbage_chunk {
	struct garbage_chunk *next;
	size_t n, cap;
	void *block[];
};

enum { CHUNK_MIN = 14, CHUNK_MAX = 4096 }; /* blocks */

err_t
garbage_reserve(struct garbage *g, size_t n)
{
	if (g->first != NULL && n <= g->first->cap - g->first->n) {
		return OK;
	}
	size_t cap = g->n < CHUNK_MIN ? CHUNK_MIN : g->n < CHUNK_MAX ? g->n : CHUNK_MAX;
	cap = cap < n ? n : cap;
	struct garbage_chunk *c = malloc(sizeof *c + cap * sizeof c->block[0]);
	if (c == NULL) {
		return E_NOMEM;
	}
	*c = (struct garbage_chunk){ .next = g->first, .cap = cap };
	g->first = c;
	return OK;
}

void
garbage_add(struct garbage *g, void *block, size_t size)
{
	if (block == NULL || garbage_reserve(g, 1) != OK) {
		return;
	}
	g->first->block[g->first->n++] = block;
	g->n++;
	g->octets += alloc_octets(size);
}

/* Room may be reserved in the first chunk of `to`, so it stays the first. */
void
garbage_move(struct garbage *to, struct garbage *from)
{
	struct garbage_chunk **at = to->first != NULL ? &to->first->next : &to->first;
	struct garbage_chunk **end = &from->first;
	while (*end != NULL) {
		end = &(*end)->next;
	}
	*end = *at;
	*at = from->first;
	to->n += from->n;
	to->octets += from->octets;
	*from = (struct garbage){ 0 };
}

void
garbage_each(const struct garbage *g, void (*each)(void *ctx, void *block), void *ctx)
{
	for (const struct garbage_chunk *c = g->first; c != NULL; c = c->next) {
		for (size_t i = 0; i < c->n; i++) {
			each(ctx, c->block[i]);
		}
	}
}

static void
free_block(void *ctx, void *block)
{
	(void)ctx;
	free(block);
}

void
garbage_free(struct garbage *g)
{
	garbage_each(g, free_block, NULL);
	garbage_forget(g);
}

void
garbage_forget(struct garbage *g)
{
	while (g->first != NULL) {
		struct garbage_chunk *c = g->first;
		g->first = c->next;
		free(c);
	}
	*g = (struct garbage){ 0 };
}
