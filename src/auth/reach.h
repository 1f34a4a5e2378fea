/* auth/reach.h -- for which zones somebody can announce a push: those that a key which may notify reaches.
 *
 * Any such key will do, of whatever right: who may push can read the keys that are in the repository, and sign with them.
 * So other keys in the place of those before, all of them at once too, lock nobody out; but no key at all does.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/keys.h"

/* Zero-initialised it is empty: it reaches nothing. */
struct reach {
	const uint8_t **domains; /* owned; the names are the keys' */
	size_t n, cap;
};

err_t reach_add(struct reach *r, const struct keystore *keys); /* borrowed; NULL is fine.  E_NOMEM */
void reach_seal(struct reach *r);                             /* after all are added, and before questions */
bool reach_has(const struct reach *r, const uint8_t *zone);
void reach_fini(struct reach *r);
