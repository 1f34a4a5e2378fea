/* net/seats.h -- decides which TCP connection of a worker is closed when there is no place for one more.
 *
 * A connection has a seat, and the seat has a rank, which depends on what is open on the connection.  The lower the rank, the sooner the
 * connection is closed to make room:
 *
 *   silent   it has not sent a whole message within SEATS_NEW_MS
 *   idle     it is new, or it has all its answers and nothing is open
 *   stalled  something is being sent to it, and it has taken nothing for SEATS_STALL_MS
 *   taking   answers are being sent to it, and it takes them
 *   waiting  its zone transfer waits for its turn; auth/turns.h chooses among such connections, and takes unsigned transfers first
 *   sending  an unsigned zone transfer is being sent to it; or it should be trusted, but too many are trusted already
 *   trusted  a key of ours has signed, and a zone transfer is being sent and makes progress, or an update awaits its answer, or the
 *            connection is kept to notify a secondary
 *
 * Within a rank, the connection without activity for the longest time is closed first.  So a new connection is closed after older idle
 * ones.  If it were the other way round, each new connection would put out the one before, which had no time to ask.
 * Trusted connections are never closed to make room.  They may have three fourths of all places (net/clients.h): so strangers cannot put
 * out a known peer, and known peers cannot keep out everybody else.
 *
 * Pure.  One thread.  A seat is embedded in the caller's connection.  All steps take constant time, with one exception: a seat that changes
 * its rank without having been seen is put in order by a search from the end of the rank.
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
	bool is_kept;        /* it is kept to notify a secondary: net/tcp_p.h */
	bool has_update;     /* an update awaits its answer */
	bool has_unsent;     /* answers wait because the system has no room for them */
	bool has_transfer;   /* a zone transfer is being sent, … */
	bool is_waiting;     /* … or waits for its turn */
	bool is_signed;      /* the request for the transfer was signed */
	uint64_t unseen_ms;  /* how long nothing has come from the peer and the peer has taken nothing */
};

/* The rank, provided that there is room for one more trusted connection. */
enum seat_rank seat_rank_of(const struct seat_facts *f);

struct seat {
	struct list_link link;
	enum seat_rank rank;
	uint64_t seen_ms;
};

struct seats {
	struct list_link of[SEAT_RANKS]; /* for each rank a list, with the seat first that was seen longest ago */
	unsigned n;
};

void seats_init(struct seats *ps);

void seats_add(struct seats *ps, struct seat *p, uint64_t now_ms); /* a new connection, so its rank is idle */
void seats_remove(struct seats *ps, struct seat *p);

/* The peer has sent something or has taken something. */
void seats_seen(struct seats *ps, struct seat *p, uint64_t now_ms);
void seats_set_rank(struct seats *ps, struct seat *p, enum seat_rank rank);

/* The seat of this rank that was seen longest ago; NULL: there is none. */
struct seat *seats_first(const struct seats *ps, enum seat_rank rank);

/* The seat whose connection is to be closed to make room; NULL: there is none. */
struct seat *seats_victim(const struct seats *ps);
