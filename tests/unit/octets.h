/* What a primary says that its zones take is what they take, one by one. */
#pragma once

#include "auth/primary.h"

static inline void
assert_octets_are_counted(const struct primary *p)
{
	struct trie_iter it;
	const struct zone *z;
	size_t octets = 0;
	trie_iter_first(&it, &primary_view(p)->zones);
	while ((z = trie_iter_next(&it)) != NULL) {
		octets += zone_octets(z);
	}
	assert_int_equal(primary_octets(p), octets);
	assert_int_equal(primary_kept_octets(p), 0); /* all is discarded */
}
