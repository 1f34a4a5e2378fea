/* net/notify_out_p.h -- private to notify_out.c, notify_out_views.c and notify_out_asked.c.
 *
 * Threads: the loader's, unless a comment says otherwise.
 */
#pragma once

#include "net/notify_out.h"
#include "net/report_notify.h"

/* ---- notify_out.c ---- */

/* Any thread: a secondary that has asked is not told.  Logs and counts it. */
void notify_out_turn_away(struct notify_out *o, const struct notify_target *from, const struct name *zone, enum notify_not_told why);

/* ---- notify_out_views.c ---- */

struct notify_policy notify_out_policy(const struct notify_out *o);

/* The zone of that name in the view that was told last; NULL: there is none. */
const struct zone *notify_out_find_told(const struct notify_out *o, const struct name *zone);

/* A notify_each: puts the notification into the notifier's queue. */
void notify_out_tell(void *notify_out, const struct notify_news *news, const struct notify_target *to);

/* One more zone was looked at: the loader is alive.  For struct notify_listener. */
void notify_out_looked(void *notify_out);

/* ---- notify_out_asked.c ---- */

/* SECONDARY_ASKED */
void notify_out_take_question(struct notify_out *o, const struct secondary_event *e);

/* Tells one secondary of every zone in a domain, if it wants that and its time has come.  The next one has its turn after the loader's
 * other work. */
void notify_out_tell_wished(struct notify_out *o);
