#include "git/idmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static struct id_slot *
find_slot(const struct id_map *m, const uint8_t id[ID_LEN])
{
	uint64_t h;
	memcpy(&h, id, sizeof h);
	size_t i = h & (m->slots_n - 1);
	while (m->slots[i].number != 0 && memcmp(m->slots[i].id, id, ID_LEN) != 0) {
		i = (i + 1) & (m->slots_n - 1);
	}
	return &m->slots[i];
}

bool
id_map_has(const struct id_map *m, const uint8_t id[ID_LEN], size_t *number)
{
	uint32_t n = m->slots_n != 0 ? find_slot(m, id)->number : 0;
	if (n != 0) {
		*number = n - 1;
	}
	return n != 0;
}

static void
grow(struct id_map *m)
{
	struct id_map old = *m;
	m->slots_n = old.slots_n == 0 ? 256 : old.slots_n * 2;
	m->slots = xalloc(m->slots_n * sizeof *m->slots);
	for (size_t i = 0; i < old.slots_n; i++) {
		if (old.slots[i].number != 0) {
			*find_slot(m, old.slots[i].id) = old.slots[i];
		}
	}
	free(old.slots);
}

void
id_map_put(struct id_map *m, const uint8_t id[ID_LEN], size_t number)
{
	if (m->used * 2 >= m->slots_n) {
		grow(m);
	}
	struct id_slot *slot = find_slot(m, id);
	if (slot->number == 0) {
		memcpy(slot->id, id, ID_LEN);
		slot->number = (uint32_t)number + 1;
		m->used++;
	}
}

void
id_map_fini(struct id_map *m)
{
	free(m->slots);
	*m = (struct id_map){ 0 };
}
