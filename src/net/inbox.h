/* net/inbox.h -- updates between the workers that receive them and the one thread that makes commits of them.
 *
 * Bounded: by all that wait or are under way, and by those of one key, so that one client does not take the places of all; each by
 * their number, and by what they cost: their octets as received, and what is kept for each beside them.  What they come to when they
 * are decoded is not counted here: that is bounded where it is done, for those alone that are under way (auth/batch.h).
 * An update leaves its place when it has been answered.  One that comes again until then, as its MAC tells, takes no place: else somebody
 * who has recorded one could take all places of its key.
 *
 * Threads: any may put; one takes and gives back.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/name.h"
#include "dns/tsig.h"
#include "net/return_path.h"

enum {
	INBOX_OCTETS_MAX = 64 << 20,     /* of all in it, */
	INBOX_OCTETS_OF_EACH = 4 << 10,  /* or so many of each, if that is more */
	INBOX_KEY_PART = 4,              /* one key may have such a part of it */
};

struct inbox_item {
	struct inbox_item *next, *same_slot;
	uint8_t mac[TSIG_MAC_PART];
	struct return_path from;
	struct name key;
	uint64_t arrived_s;  /* seconds since 1970 */
	uint64_t arrived_ns; /* monotonic */
	size_t len;
	uint8_t bytes[];
};

struct inbox;

/* `max` items in all, `per_key` of one key.  `cost`: octets that the one who takes an item keeps for it.  `wake` (may be NULL) is
 * called when one comes into an empty inbox; it must not block. */
struct inbox *inbox_new(unsigned max, unsigned per_key, size_t cost, void (*wake)(void *ctx), void *ctx);
void inbox_free(struct inbox **in); /* NULL-safe; what still waits in it is freed, what was taken must have been given back */

/* Copies the message.  E_LIMIT: there are too many; E_BUSY: too many of this key; E_EXISTS: it is in there already;
 * E_NOMEM. */
err_t inbox_put(struct inbox *in, const struct return_path *from, const struct name *key, const uint8_t mac[TSIG_MAC_PART],
                uint64_t now_s, const uint8_t *bytes, size_t len);

/* All that came, in order, or NULL; each is to be given back. */
struct inbox_item *inbox_take_all(struct inbox *in);
void inbox_give_back(struct inbox *in, struct inbox_item *item);

struct inbox_stats {
	uint64_t accepted, over_limit, over_key_limit, repeated; /* so far */
	unsigned waiting;                              /* put, and not given back */
	size_t octets;                                 /* that these cost */
};
struct inbox_stats inbox_stats(struct inbox *in);
