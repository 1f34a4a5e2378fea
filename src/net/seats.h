/* net/seats.h -- the TCP connections of a worker in the order in which they go when there is no place for one more.
 *
 * A connection has a rank by what is open on it, and goes before all of a higher rank:
 *
 *   silent   has not sent a whole message, though there was SEATS_NEW_MS for it
 *   idle     has had its answers, and nothing is open; or it is new
 *   stalled  is to be sent something, and has taken nothing of it for SEATS_STALL_MS
 *   taking   its answers are being sent, and it takes them
 *   waiting  its zone transfer waits for its turn; of these auth/turns.h says which: those that are not signed first
 *   sending  its zone transfer is being sent, and it takes it; or it would be trusted, if there were not too many already
 *   trusted  one of a key of ours, with a transfer that is being sent and makes progress, with an update that awaits its answer, or one
 *            that is kept for telling a secondary of changes
 *
 * Within a rank that goes first of which nothing was seen for longest.  So one that is new goes after those that were idle before it
 * came: else each that comes would put out the one before it, which has not had the time to ask.  Trusted ones never go for others: of
 * all places they have three fourths at most (net/clients.h), so that strangers cannot put out who is known, nor can those who are known
 * keep out all others.
 *
 * Pure.  One thread.  A seat is embedded in the caller's connection.  All steps take constant time, but for the few that
 * come to a rank without having been seen: their place in it is looked for from its end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

enum {
	SEATS_NEW_MS = 1000,
	SEATS_STALL_MS = 5000,
};

enum seat_rank { SEAT_SILENT, SEAT_IDLE, SEAT_STALLED, SEAT_TAKING, SEAT_WAITING, SEAT_SENDING, SEAT_TRUSTED, SEAT_RANKS };

/* What is open on a connection. */
struct seat_facts {
	bool has_asked;      /* a whole message has come */
	bool is_kept;        /* for telling a secondary of changes: net/tcp_p.h */
	bool has_update;     /* that awaits its answer */
	bool has_unsent;     /* answers, that the system has no room for */
	bool has_transfer;   /* that is being sent, … */
	bool is_waiting;     /* … or waits for its turn */
	bool is_signed;      /* the transfer */
	uint64_t unseen_ms;  /* since when nothing has come from the peer, and it has taken nothing */
};

/* The rank, if there is room for one more that is trusted. */
enum seat_rank seat_rank_of(const struct seat_facts *f);

struct seat {
	struct list_link link;
	enum seat_rank rank;
	uint64_t seen_ms;
};

struct seats {
	struct list_link of[SEAT_RANKS]; /* by rank: the one that was seen longest ago first */
	unsigned n;
};

void seats_init(struct seats *ps);

void seats_add(struct seats *ps, struct seat *p, uint64_t now_ms); /* new, so idle */
void seats_remove(struct seats *ps, struct seat *p);

/* Something has come from it, or it has taken something. */
void seats_seen(struct seats *ps, struct seat *p, uint64_t now_ms);
void seats_set_rank(struct seats *ps, struct seat *p, enum seat_rank rank);

/* The one of a rank that was seen longest ago; NULL: there is none. */
struct seat *seats_first(const struct seats *ps, enum seat_rank rank);

/* The one to go for another; NULL: none. */
struct seat *seats_victim(const struct seats *ps);
