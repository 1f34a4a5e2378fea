/* net/report_notify.h -- what the log says of notifications (NOTIFY, RFC 1996) that go out.
 *
 * Threads: any.
 */
#pragma once

#include "auth/notifier.h"
#include "auth/notify_compare.h"
#include "base/err.h"
#include "ops/log.h"

/* What became of one. */
void report_notify_outcome(const struct log *log, const struct notifier_report *r);

/* Not all were told: a comparison of views ended with `err`, or zones have too many targets.  notify-incomplete. */
void report_notify_incomplete(const struct log *log, err_t err, const struct notify_left_out *o);

/* Targets were passed over, as they are no loopback addresses: notify-passed-over. */
void report_notify_passed_over(const struct log *log, const struct notify_left_out *o);

/* Hosts are not told, as neither zones nor `_secondaries` files have their addresses: notify-unknown-host. */
void report_notify_unknown_host(const struct log *log, const struct notify_left_out *o);

/* Notifications that were not begun, `n` since this was said last: notify-over-limit. */
void report_notify_over_limit(const struct log *log, uint64_t n, uint64_t pending);

/* Why a secondary that has asked is not told of changes. */
enum notify_not_told {
	NOTIFY_SHARE_TAKEN,  /* its connection or its key has its share of subscriptions */
	NOTIFY_PLACES_TAKEN, /* all subscriptions are taken */
	NOTIFY_NO_MEMORY,
	NOTIFY_NOT_KEPT,     /* too many connections are kept for secondaries already */
	NOTIFY_CROWDED,      /* too many others want to be told of all zones (auth/tell_pace.h) */
};

/* `from`: the secondary, with its key; what it asked for: `zone`.  secondary-not-told. */
void report_notify_not_told(const struct log *log, const struct notify_target *from, const struct name *zone, enum notify_not_told why);

/* `subscriptions`: how many there are; `not_told`: questions that report_notify_not_told() was about. */
void report_notify_stats(const struct log *log, const struct notifier_stats *s, size_t subscriptions, uint64_t not_told);
