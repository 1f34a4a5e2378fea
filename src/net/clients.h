/* net/clients.h -- how many TCP connections there are, in all and for each client.
 *
 * A client is an IPv4 address or an IPv6 /64, which is what one customer gets.  Asked once a
 * connection, never for a query.
 *
 * Threads: any; there is a lock inside.
 */
#pragma once

#include <stdbool.h>

#include "auth/server.h"
#include "base/err.h"

enum { CLIENTS_KEPT_PART = 4 }; /* of all places a fourth may be taken by connections that are kept */

struct clients;

struct clients *clients_new(unsigned max, unsigned per_client);
void clients_free(struct clients **c); /* NULL-safe */

/* One connection more.  E_LIMIT: there are `max` already; E_BUSY: this client has its share. */
err_t clients_take(struct clients *c, const struct peer *peer);
void clients_give(struct clients *c, const struct peer *peer); /* one that was taken */

/* One of those that were taken may be idle for long.  False: so many may already, of all workers together, that the rest of
 * the places must be left to others. */
bool clients_keep(struct clients *c);
void clients_unkeep(struct clients *c); /* one that was kept */

unsigned clients_count(const struct clients *c);
