/* net/follow_views.h -- what the follower brings becomes views that are served, of which our own secondaries hear, and which are kept in
 * files.
 *
 * Threads: the following thread, unless a function says otherwise.
 */
#pragma once

#include <stdatomic.h>

#include "auth/follower.h"
#include "auth/secondary.h"
#include "net/notify_out.h"
#include "net/served.h"
#include "net/zone_store.h"
#include "ops/log.h"

struct follow_views {
	/* set by the caller; borrowed */
	struct secondary *secondary;
	struct served *served;          /* NULL: nobody reads a view but on this thread */
	struct notify_out *notify;
	struct zone_store *store;       /* NULL: nothing is kept in files */
	const struct log *log;
	void (*published)(void *ctx);   /* after each new view that is served */
	void (*changed)(void *ctx, const uint8_t *zone); /* after each new view; NULL: nobody wants to know */
	void *ctx;
	/* the rest is zero */
	_Atomic size_t octets;          /* memory of zones and keys, for whoever asks */
};

/* Sets what concerns views: take, show, restore, belongs, report and ctx of the machine's io, and its octets_max. */
void follow_views_serve(struct follow_views *v, struct follower_conf *machine);

/* Before the machine runs, and while nobody reads a view: shows a domain as UNKNOWN.  What there is no memory
 * for, the follower tries again. */
void follow_views_show_unknown(struct follow_views *v, const uint8_t *domain);

/* Likewise: the zones of an earlier run are in the first view.  `f` is the machine. */
void follow_views_restore(struct follow_views *v, struct follower *f);
