/* auth/access.h -- who may transfer a zone, and from whom catalogs are hidden.
 *
 * A zone is transferred to a client that signs with a key that has the right, to an address that `_secondaries` files list, and with
 * --axfr to everybody.
 *
 * A catalog lists zones (RFC 9432 7).  It is hidden from a client that may not transfer it: each request of that client gets the answer
 * that it would get if there were no catalog.
 *
 * What a key may do with a catalog that is followed, it may do with its members, too: whoever has the catalog has to have these.
 *
 * Pure.  Cost for an unsigned request: a search among the prefixes for each label of the zone's name (auth/secondaries.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/server.h"
#include "auth/view.h"

struct asker {
	const struct key *key;   /* that signed the request; NULL: unsigned */
	const struct peer *peer; /* NULL: not known */
	bool is_axfr_open;       /* --axfr */
};

bool access_by_key(const struct view *v, const struct key *k, enum key_right right, const uint8_t *zone); /* k NULL: false */

/* An address counts by TCP alone: in a datagram it proves nothing. */
bool access_may_transfer(const struct view *v, const struct asker *who, const uint8_t *zone);

/* True when `z` (NULL: no zone) is a catalog, and is hidden from the client.  Here an address counts by UDP, too, although it can be
 * forged: secondaries ask for the SOA record by UDP, and the answer goes to that address alone. */
bool access_is_hidden(const struct view *v, const struct asker *who, const struct zone *z);
