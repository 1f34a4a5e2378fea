/* net/clients.h -- how many TCP connections there are, in all, for each client, and for each site.
 *
 * A client is an IPv4 address or an IPv6 /64, which is what one customer gets; a site is an IPv6 /48, of which one may have
 * 65,536 clients: it has a fourth of all places, or as many as one client where that is more.  Asked once a connection, never for a query.
 *
 * Threads: any; there is a lock inside.
 */
#pragma once

#include <stdbool.h>

#include "auth/server.h"
#include "base/err.h"
#include "net/seats.h"

enum {
	CLIENTS_KEPT_PART = 4,   /* of all places a fourth may be taken by connections that are kept, */
	CLIENTS_SITE_PART = 4,   /* a fourth by one site, */
	CLIENTS_UNTRUSTED_PART = 4, /* and a fourth at least is for connections that are not trusted (net/seats.h) */
	CLIENTS_BEYOND_MAX = 16, /* above `max`, for a moment: clients_take_beyond() */
};

struct clients;

struct clients *clients_new(unsigned max, unsigned per_client);
void clients_free(struct clients **c); /* NULL-safe */

/* One connection more.  E_LIMIT: there are `max` already; E_BUSY: this client, or its site, has its share. */
err_t clients_take(struct clients *c, const struct peer *peer);

/* The same where another is about to go for it, or has just gone: there may be CLIENTS_BEYOND_MAX more than `max`. */
err_t clients_take_beyond(struct clients *c, const struct peer *peer);
void clients_give(struct clients *c, const struct peer *peer); /* one that was taken */

/* One of those that were taken may be idle for long.  False: so many may already, of all workers together, that the rest of
 * the places must be left to others. */
bool clients_keep(struct clients *c);
void clients_unkeep(struct clients *c); /* one that was kept */

/* One of those that were taken never goes for others.  False: so many do not already, that the rest must be left to others. */
bool clients_trust(struct clients *c);
void clients_distrust(struct clients *c);

/* One of those that were taken has a rank, until it leaves it; for all workers to see. */
void clients_join_rank(struct clients *c, enum seat_rank rank);
void clients_leave_rank(struct clients *c, enum seat_rank rank);

/* Is there, in any worker, one that goes before those of this rank? */
bool clients_has_below(const struct clients *c, enum seat_rank rank);

unsigned clients_count(const struct clients *c);
