/* net/subscriptions.h -- secondaries that hold a connection to us, and by it asked for a SOA, signed with a transfer key: a subscription.
 *
 * Many of them do not listen at that connection: a NOTIFY would be taken for the answer to their next question (Knot gives the refresh
 * up then, until its retry).  So a subscription has an address as well, where the secondary is told first: the one in its key's
 * name, else the one that it asks from.  By its connection it is told what no target of the zone at that address is there to hear,
 * and what was not heard there, unless it has answered there since it connected.
 *
 * A subscription is to a zone; or, when the name that was asked for is no zone of ours (the root, for one), to all zones
 * within it.
 *
 * Each address falls into one of SUBSCRIPTIONS_PLACES, and each of these has a count: so whoever has a report about an address knows
 * at once, mostly, that no subscription is concerned.
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
	_Atomic unsigned at[SUBSCRIPTIONS_PLACES]; /* how many have an address there, or are expected to */
};

void subscriptions_fini(struct subscriptions *s); /* wipes the keys */

/* Copies it.  False: it is there already, or has no room; then it is told when it asks again. */
bool subscriptions_add(struct subscriptions *s, const struct subscription *new);

/* A connection has closed. */
void subscriptions_drop_conn(struct subscriptions *s, uint64_t conn);

/* Those whose key has gone from the view, has another secret or may not transfer any more: they ask again with one that is good. */
void subscriptions_drop_disallowed(struct subscriptions *s, const struct view *v);

/* A zone came, changed or went: `each` is called for every subscription to it whose address is not among the zone's targets.  `v`: the
 * view that tells which names are zones; NULL: none are. */
void subscriptions_tell(const struct subscriptions *s, const struct view *v, const struct notify_news *news,
                        const struct notify_targets *targets, notify_each *each, void *ctx);

/* The address was told of the zone, and has answered (is_reached) or has not: `each` is called for every subscription to the zone
 * that has the address and has never answered there. */
void subscriptions_take_report(struct subscriptions *s, const struct view *v, const struct notify_news *news,
                               const struct key_address *at, bool is_reached, notify_each *each, void *ctx);

/* ---- any thread ---- */

/* The address of a subscription: the one in the key's name goes before the one that it asks from. */
const struct key_address *subscription_address(const struct key_address *in_key, const struct notify_target *asks_from);

/* A subscription with that address is on its way to the list, or no longer is: it counts already. */
void subscriptions_expect(struct subscriptions *s, const struct key_address *a);
void subscriptions_unexpect(struct subscriptions *s, const struct key_address *a);

/* Is there perhaps one with that address?  False: there is none. */
bool subscriptions_may_have(const struct subscriptions *s, const struct key_address *a);
