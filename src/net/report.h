/* net/report.h -- what the log says of requests, of zone transfers, and of connections that have to go.
 *
 * Peers cause these lines, so each goes the way that bounds them (ops/log_limit.h).
 *
 * Threads: any.
 */
#pragma once

#include "net/env.h"
#include "ops/log.h"

/* A request that asks for more than an answer, as server_handle() reports it; of EVENT_NONE and EVENT_AHEAD there is no line. */
void report_request(const struct log *log, const struct peer *from, const struct server_out *out);

/* A transfer that has ended: transfer-sent, or transfer-cut with the reason and what to do. */
void report_transfer(const struct log *log, const struct net_transferred *t);

/* A connection that has gone for another. */
void report_evicted(const struct log *log, const struct peer *from, enum seat_rank rank);
