/* net/clients.h -- counts TCP connections: all of them, those of each client, and those of each site.
 *
 * A client is an IPv4 address or an IPv6 /64, which is what one customer gets.  A site is an IPv6 /48.  It may have 65,536 clients, so it
 * has a limit of its own: a fourth of all places, or the limit of one client where that is more.
 * A place is counted once for each connection, never for a query.
 *
 * Threads: any; there is a lock inside.
 */
#pragma once

#include <stdbool.h>

#include "auth/server.h"
#include "base/err.h"
#include "net/seats.h"

enum {
	CLIENTS_KEPT_PART = 4,      /* a fourth of all places may be taken by kept connections (net/tcp_p.h) */
	CLIENTS_SITE_PART = 4,      /* a fourth may be taken by one site */
	CLIENTS_UNTRUSTED_PART = 4, /* at least a fourth is for connections that are not trusted (net/seats.h) */
	CLIENTS_BEYOND_MAX = 16,    /* places above `max`, for a moment: clients_take_beyond() */
};

struct clients;

struct clients *clients_new(unsigned max, unsigned per_client);
void clients_free(struct clients **c); /* NULL-safe */

/* Takes a place for a connection.  E_LIMIT: all `max` places are taken; E_BUSY: this client or its site has its share. */
err_t clients_take(struct clients *c, const struct peer *peer);

/* Takes a place while another connection is being closed to make room: up to CLIENTS_BEYOND_MAX more than `max`. */
err_t clients_take_beyond(struct clients *c, const struct peer *peer);
void clients_give(struct clients *c, const struct peer *peer); /* gives the place back */

/* Counts a connection as kept: it may be idle for long.  False: the kept connections of all workers have their share already. */
bool clients_keep(struct clients *c);
void clients_unkeep(struct clients *c);
bool clients_may_keep(struct clients *c); /* there is a place for one more */

/* Counts a connection as trusted: it is never closed to make room.  False: trusted connections have their share already. */
bool clients_trust(struct clients *c);
void clients_distrust(struct clients *c);

/* Counts a connection of this rank, until clients_leave_rank().  All workers see the counts. */
void clients_join_rank(struct clients *c, enum seat_rank rank);
void clients_leave_rank(struct clients *c, enum seat_rank rank);

/* True when some worker has a connection of a lower rank than this one. */
bool clients_has_below(const struct clients *c, enum seat_rank rank);

unsigned clients_count(const struct clients *c);
