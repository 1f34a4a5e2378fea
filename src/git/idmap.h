/* git/idmap.h -- private to src/git: a map from object ids to numbers.  An id is a hash already: no other is needed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ID_LEN = 20 };

/* Zero-initialised it is empty and ready. */
struct id_map {
	struct id_slot {
		uint8_t id[ID_LEN];
		uint32_t number; /* + 1; 0: free */
	} *slots;
	size_t slots_n, used; /* slots_n is 0 or a power of two */
};

/* *number changes only when the id is there. */
bool id_map_has(const struct id_map *m, const uint8_t id[ID_LEN], size_t *number);

/* The first number of an id stays. */
void id_map_put(struct id_map *m, const uint8_t id[ID_LEN], size_t number);

void id_map_fini(struct id_map *m); /* empty and ready again */
