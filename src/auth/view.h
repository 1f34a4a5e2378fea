/* auth/view.h -- all that is needed to answer requests, as one immutable version.
 *
 * A view has all zones, keys and secondaries of one commit.  It is published with one pointer store (net/served.h), and read without
 * locks.  Pure data.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/keys.h"
#include "auth/secondaries.h"
#include "auth/zone_note.h"
#include "zone/trie.h"
#include "zone/zone.h"

struct view {
	struct trie zones;           /* of struct zone, by apex */
	const struct keystore *keys; /* NULL: none */
	const struct secondaries *secondaries; /* NULL: none; the keys borrow from it */
	const struct zone *catalog;  /* among the zones; hidden from clients that may not transfer it (auth/access.h); NULL: none */
	char commit[65];             /* hex, NUL-terminated; "" before the first */
	struct zone_notes notes;     /* notes on the zones of the repository, also on some that are not served */
};

/* The number of zones that come from the repository: all but the catalog. */
static inline size_t
view_zones_n(const struct view *v)
{
	return v->zones.n - (v->catalog != NULL);
}

/* The zone with this apex, which may be the catalog.  NULL: there is none. */
const struct zone *view_zone(const struct view *v, const uint8_t *apex);
