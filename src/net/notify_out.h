/* net/notify_out.h -- NOTIFY out (RFC 1996), as a whole: secondaries hear of what is served.
 *
 * Each time a view was published, it is compared with the one that was told before (auth/notify_compare.h), and the notifier's thread
 * tells the targets (net/notify.h).  These are the secondaries that zones, keys and `_secondaries` files name.
 *
 * It also tells clients that hold a TCP connection over which they asked for a SOA record, signed with a transfer key
 * (net/subscriptions.h): of changes of that zone; or of all zones in the domain that the key is for (the root, for one), when they asked
 * for this domain and it is no zone here.
 *
 * A question for such a domain is followed by a notification for every zone there, so a secondary with one key finds them all; not as
 * often as somebody can ask (auth/tell_pace.h).  They go to the address in the key's name, if that may be told; else over the
 * connection.  When the question came by UDP, its source may be forged, and nobody remembers signatures of queries.  So where the key's
 * name has no address, the source is told of those zones alone whose target it is anyway.
 *
 * A connection is used only when there is no other way.  A secondary that is told at an address (the one in its key's name; else the
 * one that it asks from, if that is a target of the zone) is told there first.  What it did not hear there, it is told by its
 * connection, unless it has answered at the address since it connected.  Nothing goes by a connection while a question of its peer is
 * open on it (net/tcp.h).
 *
 * Threads: as each function says.  The loader is the thread that publishes views; it alone walks zones and subscriptions.  What other
 * threads hear of secondaries goes into a queue (net/secondary_queue.h).
 * Locks: one here, for "is it on?" and what is done on condition of that.  It is held while one entry is allocated and put into a queue
 * (for the loader, the notifier or a TCP worker), whose own lock is held for a few instructions.  It is not held while zones,
 * subscriptions or pending notifications are walked, nor while a socket is written to.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "auth/notify_compare.h"
#include "auth/tell_pace.h"
#include "base/err.h"
#include "net/env.h"
#include "net/listen.h"
#include "net/notify.h"
#include "net/own_addresses.h"
#include "net/secondary_queue.h"
#include "net/served.h"
#include "net/subscriptions.h"
#include "net/tcp.h"
#include "ops/log.h"
#include "ops/pulse.h"

enum { NOTIFY_OUT_FILES = 300 }; /* descriptors that it may need: NOTIFIER_EXCHANGES_MAX, UDP sockets, the loop's */

struct notify_out {
	/* set by the caller; borrowed */
	const struct log *log;
	struct served *served;
	struct tcp_worker *const *workers; /* by the numbers in connections' ids */
	void (*wake)(void *ctx);           /* any thread: has the loader call notify_out_go_on() */
	bool (*is_put_off)(void *ctx, const struct zone *z); /* the loader's thread: will a newer serial be written at once? NULL: never */
	void (*ahead)(void *ctx, const struct secondary_event *e); /* the loader's thread: a secondary has a newer serial */
	void (*reported)(void *ctx, const struct notifier_report *r); /* the notifier's thread: what became of one; NULL: not called */
	void *ctx;
	struct pulse *pulse;               /* the loader's: it beats while zones are walked */
	enum notify_whom whom;
	struct listen_address source_v4, source_v6; /* where notifications come from by default; len 0: see notify_out_start() */
	bool is_loopback_kept;             /* when all listeners have loopback addresses, only loopback addresses are told */
	/* the rest is zero */
	struct net_notify *net;
	bool is_loopback_only;
	/* the loader's own */
	struct own_addresses own;
	bool has_said_passed, has_said_unknown;
	struct served_pin *told;           /* the view that was told last */
	const struct view *told_view;
	struct subscriptions subscriptions; /* but for the counts of addresses in it, which are any thread's */
	uint64_t looked_ms, over_limit;    /* when the notifier's counter of that name was looked at last, and what it was then */
	struct tell_pace pace;             /* of secondaries that want to hear of all zones in a domain */
	struct name *put_off;              /* owned: zones that nobody was told of, as a newer version follows at once */
	size_t put_off_n, put_off_cap, put_off_before;
	/* any thread's */
	pthread_mutex_t lock;              /* for is_on, and for what is done on condition of it */
	bool is_on;                        /* between start and stop: workers may be there longer */
	struct secondary_queue heard;      /* for the loader */
	_Atomic size_t subscriptions_n;    /* counters: one thread writes, or they only grow */
	_Atomic uint64_t not_told;
};

/* Before any worker may call in. */
void notify_out_init(struct notify_out *o);
void notify_out_fini(struct notify_out *o); /* when none may any more */

/* `listen`: where we answer, borrowed until the end.  The workers are there.
 *
 * Where a notification comes from: from the address that the key's name calls the primary's, when it is one of ours; else from
 * source_v4 or source_v6; else from the address where we answer, if there is one of the family; else as the system likes. */
err_t notify_out_start(struct notify_out *o, const struct listen_address *listen, size_t n, struct diag *diag);

const struct pulse *notify_out_pulse(const struct notify_out *o); /* of its thread */

/* Before the workers go, and after the loader has ended.  What workers call in then does nothing. */
void notify_out_stop(struct notify_out *o);

/* Nothing goes to the workers any more.  In place of notify_out_stop() where the loader has not ended. */
void notify_out_silence(struct notify_out *o);

/* The loader: a view was published; `wake` was called, or a newer version that was to follow may not come. */
void notify_out_on_changed(struct notify_out *o);
void notify_out_go_on(struct notify_out *o);

/* Any worker: EVENT_SUBSCRIBED, EVENT_AHEAD; and the callbacks of struct net_env. */
void notify_out_on_secondary(struct notify_out *o, const struct net_request *r, const struct server_out *out);
void notify_out_on_ahead(struct notify_out *o, const struct net_request *r, const struct server_out *out);
void notify_out_on_response(struct notify_out *o, uint64_t conn, const uint8_t *bytes, size_t len);
void notify_out_on_closed(struct notify_out *o, uint64_t conn);

void notify_out_log_stats(const struct notify_out *o); /* any thread */
