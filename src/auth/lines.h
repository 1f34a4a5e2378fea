/* auth/lines.h -- whose turn it is: things wait in line, and the lines of several owners (keys) are served in turn, by what it costs.
 *
 * Each owner has a clock that goes on by what was done for him; next is the one whose clock is behind (start-time fair queueing).  So
 * of those who wait all the time each gets the same share of the work, however many things they bring and however much one of these
 * takes; who brings something for the first time in a while comes next; and the things of one owner stay in their order.  What one
 * costs is known afterwards, and charged then: who had much done for him waits the longer.  When nothing waits, all are even again.
 *
 * Things are members of what the caller has; an owner is kept as long as there are any of his, and while his clock is ahead.
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

/* Zero-initialised it is ready. */
struct lines {
	struct heap order;  /* by clock */
	struct lines_owner *slots[LINES_SLOTS];
	size_t n;           /* things that wait */
	size_t owners;
	uint64_t now;       /* the clock of whoever had his turn last; no newcomer is behind that */
	uint64_t ahead;     /* the clock that is ahead of all */
};

/* Behind all that wait of this owner.  E_NOMEM: it does not wait. */
err_t lines_put(struct lines *t, const uint8_t *owner, struct lines_item *item);

/* The next, or NULL; the caller gives it to lines_done() once. */
struct lines_item *lines_take(struct lines *t);

/* What was done for it, or for its owner because of it.  Again, if it comes to that. */
void lines_charge(struct lines *t, struct lines_item *item, uint64_t cost);
void lines_done(struct lines *t, struct lines_item *item);

/* Nothing waits, and all that was taken is done. */
void lines_fini(struct lines *t);
