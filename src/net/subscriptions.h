/* net/subscriptions.h -- secondaries that are told by the connection that they hold to us.  A subscription is such a connection, by which
 * a SOA was asked for, signed with a transfer key.
 *
 * A connection is not the first way, as many secondaries do not expect a NOTIFY there: they take it for the answer to their next
 * question (Knot gives the refresh up then, until its retry).  So a subscription has an address as well: the one in its key's name, else
 * the one that it asks from.  When a target of the zone has this address, at whatever port, the secondary is told there first.  By its
 * connection it is told when no target has the address; and when it did not answer there, unless it has done so since it
 * connected.
 *
 * A subscription is to a zone; or to all zones in the domain that the key is for (the root, for one), when that is no zone of ours.
 *
 * Each address falls into one of SUBSCRIPTIONS_PLACES, and each place has a count of subscriptions.  So whoever has a report about an
 * address knows at once, mostly, that no subscription is concerned.
 *
 * Threads: the list is one thread's; the counts are for any (subscriptions_expect() and the two after it).
 * Cost: each function looks at all subscriptions, which are SUBSCRIPTIONS_MAX at most.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

#include "auth/notify_compare.h"
#include "auth/view.h"

enum {
	SUBSCRIPTIONS_MAX = 20000, /* of all connections */
	SUBSCRIPTIONS_PLACES = 1024,
};

struct subscription {
	struct notify_target target;  /* the connection, and the address that it asks from; without the key */
	struct tsig_key key;
	struct name zone;             /* a zone, or what the zones are within */
	struct key_address secondary; /* in the key's name, if it is told; family 0: none */
	struct key_address source;    /* from where it is told there, as in struct notify_target */
	bool is_reached;              /* it has answered a notification at its address */
};

/* Zero-initialised it is ready. */
struct subscriptions {
	struct subscription *list;    /* owned */
	size_t n, cap;
	_Atomic unsigned at[SUBSCRIPTIONS_PLACES]; /* how many have an address there; those on their way count */
};

void subscriptions_fini(struct subscriptions *s); /* wipes the keys */

/* Copies it.  False: it is there already, or there is no room: then the secondary hears of changes by its timer. */
bool subscriptions_add(struct subscriptions *s, const struct subscription *new);

/* A connection has closed. */
void subscriptions_drop_conn(struct subscriptions *s, uint64_t conn);

/* Those go whose key has gone from the view, has another secret or may not transfer any more.  A secondary with a good key asks again. */
void subscriptions_drop_disallowed(struct subscriptions *s, const struct view *v);

/* A zone came, changed or went: `each` is called for every subscription to it whose address none of the zone's targets has.  `v` tells
 * which names are zones; NULL: none are. */
void subscriptions_tell(const struct subscriptions *s, const struct view *v, const struct notify_news *news,
                        const struct notify_targets *targets, notify_each *each, void *ctx);

/* An address was told of the zone.  It has answered (is_reached), or it has not: then `each` is called for every subscription to the
 * zone that has the address and has never answered there. */
void subscriptions_take_report(struct subscriptions *s, const struct view *v, const struct notify_news *news,
                               const struct key_address *at, bool is_reached, notify_each *each, void *ctx);

/* ---- any thread ---- */

/* The address of a subscription: the one in the key's name goes before the one that it asks from. */
const struct key_address *subscription_address(const struct key_address *in_key, const struct notify_target *asks_from);

/* A subscription with that address is on its way to the list, and counts already; it is not on its way any more. */
void subscriptions_expect(struct subscriptions *s, const struct key_address *a);
void subscriptions_unexpect(struct subscriptions *s, const struct key_address *a);

/* False: there is no subscription with that address.  True: there may be one. */
bool subscriptions_may_have(const struct subscriptions *s, const struct key_address *a);
