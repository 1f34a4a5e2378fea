/* What a primary says that its zones, keys and secondaries take is what they take, one by one. */
#pragma once

#include "auth/primary_p.h"

static inline size_t
octets_of_files(const struct primary *p)
{
	size_t octets = 0;
	for (size_t i = 0; i < p->files_n; i++) {
		octets += keystore_octets(p->files[i]->keys) + secondaries_octets(p->files[i]->secondaries);
	}
	return octets;
}

static inline void
assert_octets_are_counted(const struct primary *p)
{
	const struct view *v = primary_view(p);
	struct trie_iter it;
	const struct zone *z;
	size_t octets = octets_of_files(p) + keystore_octets(v->keys) + secondaries_octets(v->secondaries);
	trie_iter_first(&it, &v->zones);
	while ((z = trie_iter_next(&it)) != NULL) {
		octets += zone_octets(z);
	}
	assert_int_equal(primary_octets(p), octets);
	assert_int_equal(primary_kept_octets(p), 0); /* all is discarded */
}
