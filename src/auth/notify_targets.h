/* auth/notify_targets.h -- who is to be told about a zone: its notify set (RFC 1996 2).
 *
 * Told about a zone are:
 *   the secondary address in the name of each transfer key for it (key right RIGHT_TRANSFER itself, domain at or above
 *   the zone; the nearest domain first), signed with that key;
 *   the addresses of the hosts in its apex NS RRset, but for the one that the SOA's MNAME names (RFC 1996 2, "Notify
 *   Set"): A and AAAA records in the zone itself (glue too), else in the nearest zone served that encloses the host.
 *   Hosts whose addresses we do not serve are left out, and the first of them is named: we are no resolver.
 * An address is told the signed way when there is one: with each key that names it, NOTIFIER_KEYS_MAX at most, since
 * it may not know them all (auth/notifier.h makes one notification of these).  Of keys of one domain the newest comes first: the
 * one that is last in its file.  It is told from the address that the key's name calls the primary's, when that is ours.
 * Whom NOTIFY may not go to is left out (auth/notify_policy.h).
 *
 * Pure.  What comes out borrows from the views that it came from.
 */
#pragma once

#include <stddef.h>

#include "auth/notifier.h"
#include "auth/notify_policy.h"
#include "auth/view.h"
#include "base/err.h"

enum { NOTIFY_TARGETS_MAX = 256 }; /* of one zone */

struct notify_targets {
	struct notify_target list[NOTIFY_TARGETS_MAX];
	size_t n;
	bool is_cut;                /* there were more */
	bool has_passed;            /* one was passed over, as it is no loopback address: */
	struct key_address passed;
	const uint8_t *unknown;     /* a host whose addresses we do not serve; NULL: none, or keys name secondaries */
};

/* The transfer keys of a view by domain, so that many zones can be asked about.  Borrows the view. */
struct notify_index;
err_t notify_index_new(const struct view *v, struct notify_index **out); /* E_NOMEM */
void notify_index_free(struct notify_index **ix);                       /* NULL-safe */

void notify_targets_of(const struct notify_index *ix, const struct zone *z, const struct notify_policy *policy,
                       struct notify_targets *out);
