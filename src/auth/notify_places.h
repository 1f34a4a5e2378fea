/* auth/notify_places.h -- addresses and ports of the hosts that are notified of a zone.
 *
 * A host is at the addresses that a `_secondaries` file lists for it (auth/secondaries.h).  Where no file lists any, it is at its A and
 * AAAA records: those in the zone itself, glue too; else those in the nearest zone served that encloses the host.
 *
 * The ports come from SRV records of these files.  A port belongs to an address: an address is told at each port that SRV records
 * give for a host there, and at port 53 when no SRV record names a host there.
 *
 * Pure.  What comes out borrows from the view.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/view.h"

enum {
	NOTIFY_PLACES_MAX = 256, /* of one zone; hosts that are looked at for one zone; and addresses of one host */
	NOTIFY_PORTS_MAX = 16,   /* of one address; more are left out */
};

struct notify_place {
	struct key_address address;
	uint16_t port;
	const uint8_t *host;
};

struct notify_places {
	struct notify_place list[NOTIFY_PLACES_MAX];
	size_t n;
	bool is_cut;            /* there were more places, or more hosts */
	const uint8_t *unknown; /* the first host that has no address; NULL: none */
};

/* The places of the hosts that SRV records name for a zone, in the order of secondaries_notified(). */
void notify_places_of(const struct view *v, const struct zone *z, struct notify_places *out);

/* The ports that SRV records give for an address.  Returns how many. */
size_t notify_ports_of(const struct notify_places *p, const struct key_address *a, uint16_t out[NOTIFY_PORTS_MAX]);

/* The addresses of a host for a zone.  `is_listed`: are they those of a file?  NOTIFY_PLACES_MAX are put at most; returns more than
 * that if there are more. */
size_t notify_addresses_of(const struct view *v, const struct zone *z, const uint8_t *host, struct key_address out[NOTIFY_PLACES_MAX],
                           bool *is_listed);
