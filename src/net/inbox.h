/* net/inbox.h -- a queue of updates, from the workers that receive them to the one thread that makes commits of them.
 *
 * An update takes a place here until it has been answered.  There is a limit for all updates together, and one for each key, so that
 * one client cannot take the places of the others.  Both limits count updates, and also octets: the octets received, and the memory that
 * each update takes besides.  A decoded update may be much larger.  Its size is counted where updates are decoded (auth/batch.h), and only
 * for updates that are being worked on.
 *
 * A copy of an update that is already here takes no place; its MAC shows that it is a copy.  Otherwise somebody who recorded one update
 * could take all places of its key.
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
	INBOX_OCTETS_MAX = 64 << 20,     /* octets that all updates may cost, … */
	INBOX_OCTETS_OF_EACH = 4 << 10,  /* … or so many for each possible update, if that is more */
	INBOX_KEY_PART = 4,              /* one key may use a fourth of these octets, or so many for each of its updates */
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

/* `max`: updates in all; `per_key`: those of one key.  `cost`: octets that the taker keeps for each item it takes.  `wake` (may be
 * NULL) is called when an update is put into an empty inbox; it must not block. */
struct inbox *inbox_new(unsigned max, unsigned per_key, size_t cost, void (*wake)(void *ctx), void *ctx);
void inbox_free(struct inbox **in); /* NULL-safe; frees what still waits.  Every item that was taken must have been given back */

/* Copies the message.  E_LIMIT: there are too many updates; E_BUSY: too many of this key; E_EXISTS: this update is in here already;
 * E_NOMEM. */
err_t inbox_put(struct inbox *in, const struct return_path *from, const struct name *key, const uint8_t mac[TSIG_MAC_PART],
                uint64_t now_s, const uint8_t *bytes, size_t len);

/* All items that wait, oldest first, or NULL.  The caller gives each one back. */
struct inbox_item *inbox_take_all(struct inbox *in);
void inbox_give_back(struct inbox *in, struct inbox_item *item);

struct inbox_stats {
	uint64_t accepted, over_limit, over_key_limit, repeated; /* since the start */
	unsigned waiting;                              /* items put and not yet given back */
	size_t octets;                                 /* what these items cost */
};
struct inbox_stats inbox_stats(struct inbox *in);
