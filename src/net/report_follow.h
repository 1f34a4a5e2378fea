/* net/report_follow.h -- what the log says of primaries that are followed, and of zones that are transferred from them.
 *
 * Threads: any.
 */
#pragma once

#include "auth/follower.h"
#include "ops/log.h"
#include "zone/zone.h"

enum { REPORT_FLAWS_RECORDS_MAX = 100000 };

void report_follow(const struct log *log, const struct follow_report *r);

/* Logs that a version of a zone breaks a rule, or that clients cannot use a part of it, with the first reason (zone/check.h): it is served
 * nevertheless, as its primary does.  `is_whole`: it is no change of another one, so that each record is looked at; but not in zones of
 * more than REPORT_FLAWS_RECORDS_MAX, behind which other transfers would wait. */
void report_follow_flaws(const struct log *log, const struct zone *z, bool is_whole);

const char *report_follow_presence(enum follow_presence presence); /* "served", "expired", ... */

/* The state of each zone, those with trouble first; so many zones that neither the thread nor the log is held up.  The following
 * thread. */
void report_follow_states(const struct log *log, const struct follower *f, const struct now *now);

/* `notices_dropped`: net_follow_notices_dropped(). */
void report_follow_stats(const struct log *log, const struct follower_stats *s, uint64_t notices_dropped);
