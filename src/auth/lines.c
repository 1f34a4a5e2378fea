#include "auth/lines.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/list.h"

struct lines_owner {
	struct heap_node line;     /* in lines.order while items wait, or the clock is ahead */
	struct lines_owner *next;  /* next in the slot */
	struct name name;
	struct lines_item *first, **end;
	size_t n;                  /* items that wait, or were taken and are not done */
	uint64_t clock;
};

static struct lines_owner *
owner_of_line(struct heap_node *line)
{
	return LIST_ENTRY(line, struct lines_owner, line);
}

/* The link to the owner, or the link where a new owner is inserted. */
static struct lines_owner **
find(struct lines *t, const uint8_t *name)
{
	struct lines_owner **at = &t->slots[name_hash(name) % LINES_SLOTS];
	while (*at != NULL && !name_is_equal((*at)->name.oct, name)) {
		at = &(*at)->next;
	}
	return at;
}

static void
free_if_over(struct lines *t, struct lines_owner *o)
{
	if (o->n == 0 && o->line.place == 0) {
		*find(t, o->name.oct) = o->next;
		t->owners--;
		free(o);
	}
}

static void
set_clock(struct lines *t, struct lines_owner *o, uint64_t clock)
{
	o->clock = clock;
	t->ahead = clock > t->ahead ? clock : t->ahead;
	heap_set(&t->order, &o->line, clock);
}

/* Finds or makes the owner, with room for it in the order.  NULL: no memory. */
static struct lines_owner *
owner_of(struct lines *t, const uint8_t *name)
{
	struct lines_owner **at = find(t, name);
	if (*at == NULL && heap_reserve(&t->order, t->owners + 1) == OK && (*at = try_alloc(sizeof **at)) != NULL) {
		name_set(&(*at)->name, name);
		(*at)->end = &(*at)->first;
		t->owners++;
	}
	return *at;
}

err_t
lines_put(struct lines *t, const uint8_t *name, struct lines_item *item)
{
	struct lines_owner *o = owner_of(t, name);
	if (o == NULL) {
		return E_NOMEM;
	}
	*item = (struct lines_item){ .owner = o };
	*o->end = item;
	o->end = &item->next;
	o->n++;
	t->n++;
	set_clock(t, o, o->clock > t->now ? o->clock : t->now);
	return OK;
}

/* The next owner with waiting items.  Owners without items whose clock is not ahead of others any more are forgotten: a new
 * owner begins with the same clock. */
static struct lines_owner *
next_owner(struct lines *t)
{
	for (struct heap_node *line; (line = heap_first(&t->order)) != NULL;) {
		struct lines_owner *o = owner_of_line(line);
		t->now = o->clock;
		if (o->first != NULL) {
			return o;
		}
		heap_remove(&t->order, line);
		free_if_over(t, o);
	}
	return NULL;
}

struct lines_item *
lines_take(struct lines *t)
{
	struct lines_owner *o = next_owner(t);
	if (o == NULL) {
		t->now = t->ahead;
		return NULL;
	}
	struct lines_item *item = o->first;
	o->first = item->next;
	o->end = o->first != NULL ? o->end : &o->first;
	t->n--;
	lines_charge(t, item, 1); /* a first charge, so that another owner has the next turn in any case */
	return item;
}

void
lines_charge(struct lines *t, struct lines_item *item, uint64_t cost)
{
	struct lines_owner *o = item->owner;
	set_clock(t, o, (o->clock > t->now ? o->clock : t->now) + cost);
}

void
lines_done(struct lines *t, struct lines_item *item)
{
	item->owner->n--;
	free_if_over(t, item->owner);
}

void
lines_fini(struct lines *t)
{
	while (lines_take(t) != NULL) {
	}
	heap_fini(&t->order);
}
