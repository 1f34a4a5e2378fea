/* git/idmap.h -- private to src/git: a map from object ids to numbers.  An object id is a hash itself, so the map
 * hashes nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ID_LEN = 20 };

/* Zero-initialised it is empty and ready. */
struct id_map {
	struct id_slot {
		uint8_t id[ID_LEN];
		uint32_t number; /* plus 1; 0: the slot is free */
	} *slots;
	size_t slots_n, used; /* slots_n is 0 or a power of two */
};

/* True when the id is there; then *number is its number. */
bool id_map_has(const struct id_map *m, const uint8_t id[ID_LEN], size_t *number);

/* An id that is there already keeps its number. */
void id_map_put(struct id_map *m, const uint8_t id[ID_LEN], size_t number);

void id_map_fini(struct id_map *m); /* empty and ready again */
