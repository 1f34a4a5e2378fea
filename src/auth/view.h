/* auth/view.h -- all that is needed to answer requests, as one immutable version.
 *
 * A view has all zones, keys and secondaries of one commit; or those that a secondary has at one moment (auth/secondary.h).  It is
 * published with one pointer store (net/served.h), and read without locks.  Pure data.
 *
 * Catalogs are among the zones, and hidden from clients that may not transfer them (auth/access.h): our own, and those that a secondary
 * follows.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/keys.h"
#include "auth/secondaries.h"
#include "auth/shut.h"
#include "auth/zone_note.h"
#include "zone/nkey.h"
#include "zone/trie.h"
#include "zone/zone.h"

enum { VIEW_FOLLOWED_MAX = 16 };

struct view {
	struct trie zones;           /* of struct zone, by apex */
	struct trie shut;            /* of struct shut_zone: zones of ours that cannot be served; only a secondary has such */
	size_t unknown_n;            /* of these: SHUT_UNKNOWN */
	const struct keystore *keys; /* NULL: none */
	const struct secondaries *secondaries; /* NULL: none; the keys borrow from it */
	const struct zone *catalog;  /* our own; NULL: none */
	const struct zone *followed[VIEW_FOLLOWED_MAX]; /* catalogs of primaries; NULL: it is not served just now */
	unsigned followed_n;
	bool is_ready;               /* zones and keys have been read once; before that, nobody knows which are ours */
	char commit[65];             /* hex, NUL-terminated; "": of none */
	struct zone_notes notes;     /* notes on the zones of the repository, also on some that are not served */
};

/* The number of zones that come from the repository: all but the catalog. */
static inline size_t
view_zones_n(const struct view *v)
{
	return v->zones.n - (v->catalog != NULL);
}

static inline bool
view_is_followed(const struct view *v, const struct zone *z)
{
	bool is = false;
	for (unsigned i = 0; i < v->followed_n; i++) {
		is |= z == v->followed[i];
	}
	return is;
}

static inline bool
view_is_catalog(const struct view *v, const struct zone *z)
{
	return z == v->catalog || view_is_followed(v, z);
}

/* The zone with this apex, which may be a catalog.  NULL: there is none. */
const struct zone *view_zone(const struct view *v, const uint8_t *apex);

/* Of the zones at or above the name, the deepest.  NULL: there is none. */
const struct zone *view_zone_around(const struct view *v, const struct nkey *key);

/* What is known of a zone of ours that cannot be served; NULL: it can be, or is not ours. */
const struct shut_zone *view_shut_zone(const struct view *v, const uint8_t *apex);

/* The same of whatever is nearest around a name that is no zone that we serve; NULL: that is such a zone, or there is nothing. */
const struct shut_zone *view_shut_around(const struct view *v, const uint8_t *name);

/* May there be zones at or below the name that nobody knows of yet?  Of very many that cannot be served not each is looked at; then there
 * may. */
bool view_may_have_unknown(const struct view *v, const uint8_t *name);
