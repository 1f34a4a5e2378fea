/* bin/oprimary_transfers.h -- what the log says of zone transfers, and of connections that have to go.
 *
 * Threads: any.
 */
#pragma once

#include "net/env.h"
#include "ops/log.h"

/* One that has ended: transfer-sent, or transfer-cut with the reason and what to do. */
void transfers_log_ended(const struct log *log, const struct net_transferred *t);

/* A connection that has gone for another. */
void transfers_log_evicted(const struct log *log, const struct peer *from, enum seat_rank rank);
