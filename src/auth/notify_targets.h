/* auth/notify_targets.h -- who is to be told about a zone: its notify set (RFC 1996 2).
 *
 * Told about a zone are, in this order:
 *   1. The secondary's address in the name of each transfer key for the zone (RIGHT_TRANSFER itself, domain at or above the zone).
 *      The nearest domain comes first; of one domain the newest key, which is the last of its file.
 *   2. The hosts that SRV records of `_secondaries` files name for the zone (auth/secondaries.h).  The nearest domain comes first.
 *   3. The hosts of its apex NS RRset, but for the one that the SOA's MNAME names (RFC 1996 2, "Notify Set").
 *
 * The addresses of a host are those that a file lists for it, else those that zones served have (auth/notify_places.h).  A host without
 * any is left out, and the first such host is named: we are no resolver.
 * An address is told at each port that SRV records give for a host there, else at port 53.
 * An address from a key's name is told with that key, an address of a host with each key that a file lists for the host.  All that
 * is said of one address and port is put together: it is told with every key, NOTIFIER_KEYS_MAX at most, since the secondary may not
 * know them all (auth/notifier.h makes one notification of these); and unsigned only when it has no key.
 * If the primary's address in the key's name is ours, messages signed with that key come from it.
 * Whom NOTIFY may not go to is left out (auth/notify_policy.h).
 *
 * Cost: what is looked at for one zone is limited, whatever files and zones say: NOTIFY_PLACES_MAX hosts of SRV records and as many name
 * servers, whether they have addresses or not, and NOTIFY_LOOKED_MAX addresses and ports.
 *
 * Pure.  What comes out borrows from the views that it came from.
 */
#pragma once

#include <stddef.h>

#include "auth/notifier.h"
#include "auth/notify_policy.h"
#include "auth/view.h"
#include "base/err.h"

enum {
	NOTIFY_TARGETS_MAX = 256, /* of one zone */
	NOTIFY_LOOKED_MAX = 1024, /* addresses and ports looked at for one zone: also those that are targets already, or not told */
};

struct notify_targets {
	struct notify_target list[NOTIFY_TARGETS_MAX];
	size_t n;
	bool is_cut;                /* there were more, or more was to be looked at */
	bool has_passed;            /* one was passed over, as it is no loopback address: */
	struct key_address passed;
	uint16_t passed_port;
	/* A host that is not told, as nobody knows its addresses: one of an SRV record; or a name server, when neither keys nor files name
	 * anybody for the zone.  NULL: none. */
	const uint8_t *unknown;
};

/* The transfer keys of a view by domain: made once, good for any number of zones.  Borrows the view. */
struct notify_index;
err_t notify_index_new(const struct view *v, struct notify_index **out); /* E_NOMEM */
void notify_index_free(struct notify_index **ix);                       /* NULL-safe */

void notify_targets_of(const struct notify_index *ix, const struct zone *z, const struct notify_policy *policy,
                       struct notify_targets *out);
