/* base/strmap.h -- a map from strings to things, whose cost no choice of strings can raise: a crit-bit tree.
 *
 * A lookup looks at each octet of the string once.  There is no hash, so nobody can choose strings that collide.  The map borrows the
 * strings: a string must not change while it is in the map.  Usually it is a member of the thing that it leads to.
 *
 * One thread.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct strmap_node;

/* A zero-initialised map is empty and ready.  An empty map owns no memory. */
struct strmap {
	struct strmap_node *root;
	size_t n;
};

void *strmap_find(const struct strmap *m, const char *key); /* NULL: it is not there */

/* A key that is not there yet; `thing` is not NULL.  E_NOMEM: all is as it was. */
err_t strmap_put(struct strmap *m, const char *key, void *thing);

/* The thing, which is not there any more; NULL: it was not. */
void *strmap_take(struct strmap *m, const char *key);
