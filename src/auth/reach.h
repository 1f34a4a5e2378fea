/* auth/reach.h -- the zones for which somebody can announce a push: those that a key with the right to notify reaches.
 *
 * Any key with this right counts: whoever may push can read the keys in the repository, and sign with them.  So nobody is locked out
 * when other keys replace the old ones, even all at once.  Only a zone for which no key with this right is left cannot be announced.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/keys.h"

/* Ready for use when zeroed: it reaches nothing. */
struct reach {
	const uint8_t **domains; /* owned; the names belong to the keys */
	size_t n, cap;
};

err_t reach_add(struct reach *r, const struct keystore *keys); /* `keys` is borrowed, and may be NULL; E_NOMEM */
void reach_seal(struct reach *r);                             /* call it after all additions, and before reach_has() */
bool reach_has(const struct reach *r, const uint8_t *zone);
void reach_fini(struct reach *r);
