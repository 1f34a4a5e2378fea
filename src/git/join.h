/* git/join.h -- private to src/git: several packs become one, without anything being inflated.
 *
 * Pure.  Entries are copied as they are; only the distance from a delta to its base is written anew.  An object that
 * several packs have is taken from the first of them.  Every delta still finds its base: each pack has all bases of its
 * own deltas, so the base is either copied before the delta, or was copied from an earlier pack.
 *
 * The packs may be damaged: checksums, counts and offsets are compared before anything is copied.
 */
#pragma once

#include "git/packout.h"

enum { JOIN_OBJECTS_MAX = 1 << 22 };

struct pack_in {
	const uint8_t *pack;
	size_t pack_len;
	const uint8_t *index;
	size_t index_len;
};

/* Zero-initialised it is empty and ready. */
struct pack_join {
	struct pack_out out;
	struct id_map by_id; /* the slot in `out` */
};

/* How many objects a pack has, by its index, of which the first 1032 octets are enough.  E_SHORT; E_UNSUPPORTED: not of
 * version 2. */
err_t pack_index_count(const uint8_t *index, size_t len, uint32_t *n);

/* Copies the objects that the join does not have yet; `in` is not needed afterwards.  E_FORMAT: pack or index is
 * damaged, or they do not belong together.  E_UNSUPPORTED: another version, or offsets of eight octets.  E_LIMIT.
 * After an error the join must not be used. */
err_t pack_join_add(struct pack_join *j, const struct pack_in *in);

void pack_join_fini(struct pack_join *j);
