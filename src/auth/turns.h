/* auth/turns.h -- decides which zone transfer begins next, and which one ends so that others can begin.
 *
 * Of the requested transfers at most `max` are under way; the others wait.  Each belongs to two parties: the client that
 * receives it (peer_client_len()), and the key that signed its request; all unsigned requests belong to one party.
 *
 *   Shares.  A client may have at most a quarter of the places, and a key half, rounded up.  So there are places left for
 *   others, however many connections a client makes, and from however many addresses or with however many keys.
 *   Order.  The next to begin is the waiting transfer whose client and key have both gone longest without one, provided that it
 *   may begin: clients take turns, and keys, too.  Among requests of the same two parties the first one is next.
 *   Rate.  A transfer is slow when its peer took less than TURNS_RATE_MIN octets a second over the last TURNS_WINDOW_MS.  The
 *   slowest one is ended while a transfer of another client waits that could then begin.  A slow transfer that delays nobody
 *   goes on.
 *   Room.  When more than TURNS_WAITING_MAX wait, one is dropped: an unsigned one first; else one of the key with the most
 *   waiting, and of these the latest of the client with the most waiting.
 *
 * Pure.  One thread.  A turn is embedded in the caller's structure for a transfer.  Cost: a walk over all that wait, for each
 * transfer that ends.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/server.h"
#include "base/err.h"
#include "base/list.h"

enum {
	TURNS_CLIENT_PART = 4, /* a client may have one fourth of the places, rounded up */
	TURNS_KEY_PART = 2,    /* a key may have half of them, rounded up */
	TURNS_RATE_MIN = 32 * 1024, /* octets a second: slower transfers may be ended while others wait */
	TURNS_WINDOW_MS = 10 * 1000,
	TURNS_WAITING_MAX = 4096,
	TURNS_PARTY_CHAINS = 256,
};

struct party; /* a client, or a key */

struct turn {
	struct list_link link;      /* in turns.waiting or turns.active */
	struct party *client, *key;
	bool is_active;             /* under way, not waiting */
	uint64_t window_ms, window_taken; /* start of the present measurement: time, and octets taken before it */
	uint64_t rate;              /* octets a second in the last complete window; TURNS_RATE_MIN before there was one */
};

struct turns {
	struct list_link waiting, active; /* waiting: in order of arrival; active: in order of beginning */
	unsigned waiting_n, active_n;
	unsigned max, client_max, key_max; /* the most that may be under way: in all, of one client, of one key */
	uint64_t count;             /* transfers begun so far */
	struct party *parties[TURNS_PARTY_CHAINS];
};

void turns_init(struct turns *t, unsigned max); /* nothing needs to be freed once all turns have left */

/* Adds a transfer to those that wait.  `key` of length 0: unsigned.  E_NOMEM: it was not added. */
err_t turns_ask(struct turns *t, const struct peer *from, const struct name *key, struct turn *turn);

/* Lets the next one begin.  NULL: none waits, or none of them may begin. */
struct turn *turns_begin_next(struct turns *t, uint64_t now_ms);

/* The transfer has ended, or does not wait any more. */
void turns_leave(struct turns *t, struct turn *turn);

/* Tells how many octets the peer has taken since the transfer began. */
void turn_note_taken(struct turn *turn, uint64_t now_ms, uint64_t taken);

/* The transfer to be ended so that another can begin; NULL: none. */
struct turn *turns_too_slow(const struct turns *t);

/* The waiting transfer to be dropped when too many wait, chosen as told above.  NULL: none waits. */
struct turn *turns_one_too_many(const struct turns *t);

static inline bool
turns_are_too_many(const struct turns *t)
{
	return t->waiting_n > TURNS_WAITING_MAX;
}
