/* auth/lines.h -- decides whose turn it is: items of several owners (keys) wait in lines, and the owners take turns according to
 * the cost of their items.
 *
 * Each owner has a clock that advances with the work done for it.  The owner whose clock is furthest behind is next (start-time
 * fair queueing).  So all owners that always have items waiting get the same share of the work, however many items they bring,
 * and however much one item costs.  An owner without recent work is next at once.  The items of one owner stay in their order.  The
 * cost of an item is known only after the work, and is charged then: an owner that had expensive work waits longer.  When nothing
 * waits, all owners are equal again.
 *
 * Items are members of the caller's structures.  An owner is kept as long as it has items, or its clock is ahead of others.
 *
 * Pure.  One thread.
 * Cost: O(log owners).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/heap.h"
#include "dns/name.h"

enum { LINES_SLOTS = 1024 };

struct lines_owner;

struct lines_item {
	struct lines_item *next;
	struct lines_owner *owner;
};

/* Ready for use when zeroed. */
struct lines {
	struct heap order;  /* owners by their clocks */
	struct lines_owner *slots[LINES_SLOTS];
	size_t n;           /* items that wait */
	size_t owners;
	uint64_t now;       /* clock of the owner that had the last turn; a new owner begins with it */
	uint64_t ahead;     /* the clock that is furthest ahead */
};

/* Puts an item at the end of its owner's line.  E_NOMEM: it was not put there. */
err_t lines_put(struct lines *t, const uint8_t *owner, struct lines_item *item);

/* The next item, or NULL.  The caller must give it to lines_done() once. */
struct lines_item *lines_take(struct lines *t);

/* Charges the cost of work that was done for the item to its owner.  May be called several times. */
void lines_charge(struct lines *t, struct lines_item *item, uint64_t cost);
void lines_done(struct lines *t, struct lines_item *item);

/* Drops all items that wait, and frees the table.  All items that were taken must be done. */
void lines_fini(struct lines *t);
