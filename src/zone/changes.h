/* zone/changes.h -- what differs between two versions of a zone, as a list, and a version made of it.
 *
 * A zone that was read again shares no memory with the version that is served.  Where little changed, it is better to apply the changes
 * to the served version: the result shares all the rest with it, the zone that was read is freed as a whole, and a server that
 * runs for months takes no more memory than on its first day.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "zone/zone.h"

struct zone_change {
	bool is_added;
	struct zone_rr rr;   /* borrowed from the version that has the record */
};

struct zone_changes {
	struct zone_change *list; /* owned; canonical order of owners */
	size_t n, cap;
	size_t limit;             /* most changes that are listed; more are only counted */
	size_t added, removed;    /* number of records; a changed TTL counts in both */
};

/* The usual limit: one in 16 records of the old version, and always a thousand.  If more change, the new version shares nothing with
 * the old one, and begins a new history. */
size_t zone_changes_max(const struct zone *old);

/* Both versions must outlive the list.  E_NOMEM. */
err_t zone_changes_find(const struct zone *old, const struct zone *new, size_t limit, struct zone_changes *out);

/* The changes of a prepared transaction, without limit; the transaction must outlive the list. */
err_t zone_changes_of(const struct zone_txn *t, struct zone_changes *out);

void zone_changes_fini(struct zone_changes *c);

static inline bool
zone_changes_are_whole(const struct zone_changes *c)
{
	return c->n == c->added + c->removed;
}

/* Makes a version from `old` and the changes, all of which must be listed.  If OK, `garbage` gets all memory that only the old
 * version uses, including its struct zone.  Errors (E_NOMEM, E_FORMAT) change nothing. */
err_t zone_changes_apply(const struct zone *old, const struct zone_changes *c, struct zone **out, struct garbage *garbage);
