/* net/report.h -- logs requests, zone transfers, and connections that were closed to make room.
 *
 * Peers cause these lines, so each is subject to the limits of ops/log_limit.h.
 * Threads: any.
 */
#pragma once

#include "net/env.h"
#include "ops/log.h"

/* A request that needs more than an answer, as server_handle() reports it.  EVENT_NONE and EVENT_AHEAD are not logged. */
void report_request(const struct log *log, const struct peer *from, const struct server_out *out);

/* A transfer that has ended: transfer-sent, or transfer-cut with the reason and a hint. */
void report_transfer(const struct log *log, const struct net_transferred *t);

/* A connection that was closed to make room for another. */
void report_evicted(const struct log *log, const struct peer *from, enum seat_rank rank);
