/* auth/secondary.h -- the zones of a secondary: versions that were transferred become views (auth/next_view.h).
 *
 * Also keeps the versions of zones that are not served for the time being (enum follow_presence in auth/follower.h), so that they can be
 * served again at once.
 *
 * Pure.  One thread.  Each call that succeeds makes a new view, to be published; *old is what the view before alone had, and is to be
 * freed by discard_free() once nobody reads that view or an older one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/follower.h"
#include "auth/next_view.h"
#include "base/err.h"

struct secondary;

struct secondary_conf {
	struct name catalog; /* name of our own catalog zone; len 0: there is none */
	const struct name *followed; /* catalogs of primaries, at most VIEW_FOLLOWED_MAX; borrowed */
	size_t followed_n;
	size_t octets_max;   /* memory of zones and keys, and of replaced versions that are kept; 0: no limit */
};

/* Takes the keys (NULL: none; sealed), which all views have. */
struct secondary *secondary_new(const struct secondary_conf *conf, struct keystore *keys);
void secondary_free(struct secondary **s); /* NULL-safe; nobody reads a view any more */

const struct view *secondary_view(const struct secondary *s); /* the latest; at first without zones, also without the catalog */

struct secondary_step {
	const struct view *view;
	struct discard *old;
};

/* A whole zone, or changes (prepared) of the version that is there, become the zone's version, which is served.  The version that is there
 * may also be one that is kept.  One of *whole and *changes is set.  What is used is set to NULL; the rest stays the caller's, after an
 * error or if it was needed no longer (little differs, so that the new version shares memory with the one before; or nothing does).
 * *version: what is served from now on, borrowed until the zone's next one, or FORGOTTEN.  E_EXISTS: the name is the catalog's; E_NOMEM:
 * nothing has changed. */
err_t secondary_take(struct secondary *s, const uint8_t *apex, struct zone **whole, struct zone_txn **changes, uint64_t now_s,
                     const struct zone **version, struct secondary_step *step);

/* A version of an earlier run, which has come at `made_s`, becomes that of a zone that has none: served (PRESENT), or kept (EXPIRED,
 * UNKNOWN) as below.  Takes *whole; errors as above. */
err_t secondary_restore(struct secondary *s, const uint8_t *apex, struct zone **whole, enum follow_presence presence, uint64_t made_s,
                        uint64_t now_s, const struct zone **version, struct secondary_step *step);

/* NEW, EXPIRED, UNKNOWN: queries for the zone get SERVFAIL (view.shut).  WITHDRAWN: the zone is not there, but its version is kept.
 * PRESENT: the version that was kept is served again; there must be one.  FORGOTTEN: the version goes.  E_EXISTS: the name is the
 * catalog's; E_NOMEM: nothing has changed. */
err_t secondary_show(struct secondary *s, const uint8_t *apex, enum follow_presence presence, uint64_t now_s,
                     struct secondary_step *step);

/* The zone is a member of that catalog, one of those that are followed; NULL: of none any more.  Views have it from the zone's next step
 * on.  E_NOMEM. */
err_t secondary_belongs(struct secondary *s, const uint8_t *apex, const uint8_t *catalog);

/* The memory that the next whole zone may take: the limit, less what all zones and replaced versions take. */
size_t secondary_room(const struct secondary *s);
size_t secondary_octets(const struct secondary *s); /* of all zones, kept ones included, and keys */
