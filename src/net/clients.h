/* net/clients.h -- how many TCP connections there are, in all and for each client.
 *
 * A client is an IPv4 address or an IPv6 /64, which is what one customer gets.  Asked once a
 * connection, never for a query.
 *
 * Threads: any; there is a lock inside.
 */
#pragma once

#include "auth/server.h"
#include "base/err.h"

struct clients;

struct clients *clients_new(unsigned max, unsigned per_client);
void clients_free(struct clients **c); /* NULL-safe */

/* One connection more.  E_LIMIT: there are `max` already; E_BUSY: this client has its share. */
err_t clients_take(struct clients *c, const struct peer *peer);
void clients_give(struct clients *c, const struct peer *peer); /* one that was taken */

unsigned clients_count(const struct clients *c);
