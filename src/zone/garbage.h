/* zone/garbage.h -- what a new version replaced: blocks to be free()d once no reader has the old one.
 *
 * It is a list of chunks, so that joining two lists takes no memory.  A caller that must not fail later reserves room beforehand: a
 * block that finds neither room nor memory on the list is never freed.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct garbage_chunk;
struct garbage {
	struct garbage_chunk *first; /* the one that is being filled */
	size_t n;
	size_t octets; /* memory of all blocks */
};

err_t garbage_reserve(struct garbage *g, size_t n); /* room for `n` more blocks; E_NOMEM */
void garbage_add(struct garbage *g, void *block, size_t size); /* octets that were asked for; NULL-safe */
void garbage_move(struct garbage *to, struct garbage *from);
void garbage_each(const struct garbage *g, void (*each)(void *ctx, void *block), void *ctx);
void garbage_free(struct garbage *g);               /* frees all blocks; the list is empty then */
void garbage_forget(struct garbage *g);             /* empties the list; the blocks belong to others now */
