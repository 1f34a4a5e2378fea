/* auth/notify_targets_p.h -- what notify_targets.c and notify_compare.c share; private to them. */
#pragma once

#include "auth/notify_targets.h"

/* Keys of one domain. */
struct domain {
	size_t first, n; /* in notify_index.keys */
	struct name name;
};
#define DOMAIN_NAME_AT offsetof(struct domain, name.oct)

struct notify_index {
	const struct view *view;
	const struct key **keys; /* transfer keys with a secondary's address in the name: by domain, the newest of each first */
	size_t keys_n;
	struct domain *domains;  /* in canonical order */
	size_t domains_n;
	struct trie_txn by_name; /* of struct domain; never committed */
};

/* Is it one secondary, whatever the key? */
static inline bool
target_is_at(const struct notify_target *a, const struct notify_target *b)
{
	return a->port == b->port && key_address_is_equal(&a->address, &b->address);
}
