#include "auth/view.h"

#include "zone/nkey.h"

const struct zone *
view_zone(const struct view *v, const uint8_t *apex)
{
	struct nkey key;
	nkey_set(&key, apex);
	return trie_get(&v->zones, &key);
}
