/* base/strmap.h -- a map from strings to things, whose cost no choice of strings can raise: a crit-bit tree.
 *
 * A lookup looks at the octets of the string once; there is no hash for which somebody could find collisions.  The strings are
 * borrowed: each stays as it is until it is taken out, and belongs to its thing as a rule.
 *
 * One thread.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct strmap_node;

/* Zero-initialised it is empty and ready; one that is empty has nothing to give back. */
struct strmap {
	struct strmap_node *root;
	size_t n;
};

void *strmap_find(const struct strmap *m, const char *key); /* NULL: it is not there */

/* A key that is not there yet; `thing` is not NULL.  E_NOMEM: all is as it was. */
err_t strmap_put(struct strmap *m, const char *key, void *thing);

/* The thing, which is not there any more; NULL: it was not. */
void *strmap_take(struct strmap *m, const char *key);
