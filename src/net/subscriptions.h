/* net/subscriptions.h -- secondaries that are notified over a connection that they have opened.  A subscription is such a connection,
 * over which a SOA was asked for, signed with a transfer key.
 *
 * A connection is not the first way, as many secondaries do not expect a NOTIFY there: they take it for the answer to their next
 * question (Knot gives the refresh up then, until its retry).  So a subscription has an address as well: the one in its key's name, else
 * the one that it asks from.  When a target of the zone has this address, at whatever port, the secondary is told there first.  By its
 * connection it is told when no target has the address; and when it did not answer there, unless it has done so since it
 * connected.
 *
 * A subscription is to a zone; or to all zones in the domain that the key is for (the root, for one), when that is no zone of ours.
 *
 * Whoever has a key could take all places, and nobody else would hear of changes over a connection.  So each connection and each key have a
 * share.  A zone takes no place of its own where the connection has a subscription to a domain around it, with the same key.
 *
 * Each address falls into one of SUBSCRIPTIONS_PLACES, and each place has a count of subscriptions.  So whoever has a report about an
 * address knows at once, mostly, that no subscription is concerned.
 *
 * Threads: the list is one thread's; the counts are for any (subscriptions_expect() and the two after it).
 * Cost: subscriptions are found by hashes of the connection, the key, the name and the address, so each function looks at those concerned
 * and a few others; subscriptions_drop_disallowed() looks at all.  Hashes have no secret start value: peers choose neither connections
 * nor names, and of addresses that collide one key has no more than its share.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

#include "auth/notify_compare.h"
#include "auth/tell_pace.h"
#include "auth/view.h"
#include "base/list.h"

enum {
	SUBSCRIPTIONS_MAX = 20000,         /* of all connections; each about 500 octets */
	SUBSCRIPTIONS_OF_CONN_MAX = 5000,
	SUBSCRIPTIONS_OF_KEY_MAX = 10000,
	SUBSCRIPTIONS_PLACES = 1024,
};

struct subscriptions_table;
struct subscription_conn;
struct subscription_key;

struct subscription {
	struct notify_target target;  /* the connection, the address that it asks from, and the key */
	struct name zone;             /* a zone, or what the zones are within */
	struct key_address secondary; /* in the key's name, if it is told; family 0: none */
	bool is_reached;              /* it has answered a notification at its address */
	bool is_awaited;              /* every zone in the domain is still to be told, over the connection */
	/* the list's own */
	struct subscription_conn *conn;
	struct subscription_key *key; /* target.key is a copy in here */
	struct list_link in_all, of_conn, at_zone, at_address;
};

/* Zero-initialised it is ready. */
struct subscriptions {
	struct subscriptions_table *table; /* owned; NULL: there was none yet */
	size_t n;
	bool is_checked;                   /* subscriptions_drop_disallowed() has looked at all */
	_Atomic unsigned at[SUBSCRIPTIONS_PLACES]; /* how many have an address there; those on their way count */
};

void subscriptions_fini(struct subscriptions *s); /* wipes the keys */

/* Copies it, with its key.  `v` tells which names are zones; NULL: none are.  E_EXISTS: it is there already, or one to a domain around
 * the zone is, of the same connection and key.  E_BUSY: the connection or the key has its share.  E_LIMIT: all places are taken.
 * E_NOMEM.  After the last three the secondary hears of changes by its timer. */
err_t subscriptions_add(struct subscriptions *s, const struct view *v, const struct subscription *new);

/* A connection has closed. */
void subscriptions_drop_conn(struct subscriptions *s, uint64_t conn);

/* Drops subscriptions whose key is no longer in the view, has another secret, or may no longer transfer.  A secondary with a good key
 * asks again.  Not needed while keys and secondaries are those of the last call, and `is_checked` is set. */
void subscriptions_drop_disallowed(struct subscriptions *s, const struct view *v);

/* A zone came, changed or went: `each` is called for every subscription to it whose address none of the zone's targets has.  `v`: as
 * above. */
void subscriptions_tell(const struct subscriptions *s, const struct view *v, const struct notify_news *news,
                        const struct notify_targets *targets, notify_each *each, void *ctx);

/* Calls `each` for those that await to be told of every zone, and that the wish is for (TELL_BY_CONNECTION); from now on they await that
 * no more.  `each` must not change the list. */
typedef void subscription_each(void *ctx, const struct subscription *s);
void subscriptions_each_awaited(struct subscriptions *s, const struct tell_wish *wish, subscription_each *each, void *ctx);

/* An address was told of the zone.  It has answered (is_reached), or it has not: then `each` is called for every subscription to the
 * zone that has the address and has never answered there. */
void subscriptions_take_report(struct subscriptions *s, const struct view *v, const struct notify_news *news,
                               const struct key_address *at, bool is_reached, notify_each *each, void *ctx);

/* ---- any thread ---- */

/* The address of a subscription: the one in the key's name goes before the one that it asks from. */
const struct key_address *subscription_address(const struct key_address *in_key, const struct notify_target *asks_from);

/* Counts a subscription with that address that is on its way to the list. */
void subscriptions_expect(struct subscriptions *s, const struct key_address *a);

/* Takes that count back. */
void subscriptions_unexpect(struct subscriptions *s, const struct key_address *a);

/* False: there is no subscription with that address.  True: there may be one. */
bool subscriptions_may_have(const struct subscriptions *s, const struct key_address *a);
