/* net/report.h -- logs requests, zone transfers, and connections that were closed to make room.
 *
 * Peers cause these lines, so the limits of ops/log_limit.h hold for each.
 * Threads: any.
 */
#pragma once

#include "net/env.h"
#include "ops/log.h"

/* Logs a request that needs more than an answer, as server_handle() reports it; not EVENT_NONE and EVENT_AHEAD. */
void report_request(const struct log *log, const struct peer *from, const struct server_out *out);

/* Logs a transfer that has ended: transfer-sent, or transfer-cut with the reason and a hint. */
void report_transfer(const struct log *log, const struct net_transferred *t);

/* Logs a connection that was closed to make room for another. */
void report_evicted(const struct log *log, const struct peer *from, enum seat_rank rank);
