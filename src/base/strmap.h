/* base/strmap.h -- a map from strings to items, whose cost cannot be raised by choosing strings: a crit-bit tree.
 *
 * The cost of a lookup depends on the length of the string alone: at most eight branches for each octet, and one comparison.
 * There is no hash, so nobody can choose strings that collide.  The map borrows the strings: a string must not change while it is
 * in the map.  Usually it is a member of its item.
 *
 * One thread.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct strmap_node;

/* Ready for use, and empty, when zeroed.  An empty map owns no memory. */
struct strmap {
	struct strmap_node *root;
	size_t n;
};

void *strmap_find(const struct strmap *m, const char *key); /* NULL: it is not there */

/* Adds a key that is not there yet; `item` must not be NULL.  E_NOMEM: nothing changed. */
err_t strmap_put(struct strmap *m, const char *key, void *item);

/* Removes and returns the item; NULL: it was not there. */
void *strmap_take(struct strmap *m, const char *key);
