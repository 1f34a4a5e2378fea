/* auth/turns.h -- whose zone transfer goes next, and whose ends so that others may go.
 *
 * Of the transfers that are asked for some are under way, `max` at most, and the others wait.  Each belongs to two parties: to the client
 * that it goes to (peer_client_len()), and to the key that its request is signed with; all that is not signed is of one party.
 *
 *   Shares.  Of the places a client has a fourth at most, and a key half, rounded up: there are places left for others, however many
 *   connections one of them makes, from however many addresses or with however many keys.
 *   Order.  Of those that wait and may begin, the next is the one whose client and key have both gone longest without: a round over
 *   clients, and over keys.  Among requests of the same two parties it is the first.
 *   Rate.  A transfer is slow when its peer took less than TURNS_RATE_MIN octets a second over the last TURNS_WINDOW_MS.  While another
 *   client waits that could begin if it ended, the slowest ends.  Where nobody waits for its place a slow one goes on.
 *   Room.  When more than TURNS_WAITING_MAX wait, one goes: what is not signed first, else the key of which most wait loses the latest of
 *   that client of which most wait.
 *
 * Pure.  One thread.  A turn is embedded in what the caller has for a transfer.  Cost: a walk over what waits for each transfer that ends.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/server.h"
#include "base/err.h"
#include "base/list.h"

enum {
	TURNS_CLIENT_PART = 4, /* of the places; rounded up */
	TURNS_KEY_PART = 2,
	TURNS_RATE_MIN = 32 * 1024, /* octets a second: the least while others wait */
	TURNS_WINDOW_MS = 10 * 1000,
	TURNS_WAITING_MAX = 4096,
	TURNS_PARTY_CHAINS = 256,
};

struct party; /* a client, or a key */

struct turn {
	struct list_link link;      /* among those that wait, or those under way */
	struct party *client, *key;
	bool is_active;             /* under way, and not waiting */
	uint64_t window_ms, window_taken; /* since when, and from which octet on, its rate is being measured */
	uint64_t rate;              /* octets a second, over the last whole window; TURNS_RATE_MIN until there was one */
};

struct turns {
	struct list_link waiting, active; /* in the order in which they came, and began */
	unsigned waiting_n, active_n;
	unsigned max, client_max, key_max; /* under way */
	uint64_t count;             /* of those that have begun */
	struct party *parties[TURNS_PARTY_CHAINS];
};

void turns_init(struct turns *t, unsigned max); /* there is nothing to undo once all turns have left */

/* One more waits.  `key` of length 0: not signed.  E_NOMEM: it does not. */
err_t turns_ask(struct turns *t, const struct peer *from, const struct name *key, struct turn *turn);

/* Lets the next begin.  NULL: nobody waits, or nobody who may. */
struct turn *turns_begin_next(struct turns *t, uint64_t now_ms);

/* It has ended, or waits no more. */
void turns_leave(struct turns *t, struct turn *turn);

/* How much the peer of one that is under way has taken, since it began. */
void turn_note_taken(struct turn *turn, uint64_t now_ms, uint64_t taken);

/* The one to be ended for somebody who waits; NULL: none. */
struct turn *turns_too_slow(const struct turns *t);

/* The one that waits and is to go first when there is no room for all, as told above.  NULL: none waits. */
struct turn *turns_one_too_many(const struct turns *t);

static inline bool
turns_are_too_many(const struct turns *t)
{
	return t->waiting_n > TURNS_WAITING_MAX;
}
