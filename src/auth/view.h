/* auth/view.h -- all that is needed to answer requests, as one immutable version.
 *
 * A view has all zones, keys and secondaries of one commit.  It is published with one pointer store (net/served.h), and read without
 * locks.  Pure data.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/daemon_state.h"
#include "auth/key_uses.h"
#include "auth/keys.h"
#include "auth/secondaries.h"
#include "auth/secondary_table.h"
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

/* What the operator set; the same for as long as the process lives. */
struct server_conf {
	uint16_t udp_max;            /* largest UDP answer (1232) */
	const char *version;         /* version.bind CH TXT; NULL: refused */
	const char *id;              /* id.server CH TXT and NSID; NULL: refused, no NSID */
	bool tells_commit;           /* commit.server CH TXT, and ZONEVERSION (RFC 9660), to everybody */
	uint16_t tcp_idle_100ms;     /* announced with edns-tcp-keepalive (RFC 7828) */
	bool is_axfr_open;           /* zone transfers for everybody, unsigned */
	bool (*is_deaf)(const void *ctx); /* true while we cannot pull, so that a NOTIFY is of no use; any thread; NULL: never */
	const void *deaf_ctx;
	struct key_uses *uses;       /* written by every worker; NULL: not recorded */
	/* Tells the state of the process.  Any thread; must not take long.  NULL: not known. */
	void (*state)(void *ctx, struct daemon_state *out);
	/* Tells the secondaries of a zone, SECONDARY_OF_ZONE_MAX at most, and returns their number.  As above. */
	size_t (*secondaries)(void *ctx, const uint8_t *zone, struct secondary_row *out);
	void *state_ctx;             /* for state() and secondaries() */
};
