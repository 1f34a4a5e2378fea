/* bin/oprimary_notify.h -- secondaries hear of what is served: NOTIFY out (auth/notify_targets.h, net/notify.h), wired.
 *
 * Each time a view was published it is compared with the one that was told before.  Besides those that zones and keys name, whoever
 * holds a TCP connection by which it asked for a SOA, signed with a transfer key, is told: of that zone, or of all
 * zones within the key's domain when it asked for a name that is no zone here (the root, for one).  Such a question is
 * answered by a notification for every one of these zones at once, so a secondary with one key finds them all.
 *
 * It is told by that connection only when there is no other way.  One that is told at an address (the one in its key's name, else
 * the one that it asks from, where a target of the zone has it) is told there first, and by its connection what was not heard
 * there, unless it has answered at the address since it connected.  Nothing goes by a connection while a question of its peer is
 * open on it (net/tcp.h).
 *
 * Threads: as each function says.  The list of secondaries is the loader's alone; what other threads hear of them goes into a queue
 * (net/secondary_queue.h), so that no worker waits while zones are walked.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "auth/notify_targets.h"
#include "base/err.h"
#include "net/env.h"
#include "net/listen.h"
#include "net/notify.h"
#include "net/peer.h"
#include "net/secondary_queue.h"
#include "net/served.h"
#include "net/tcp.h"
#include "ops/log.h"

enum {
	TELLER_SUBSCRIPTIONS_MAX = 20000, /* of all connections */
	TELLER_OWN_MAX = 256,             /* our addresses */
	TELLER_PLACES = 1024,             /* of addresses, to find out quickly that nobody is at one */
	TELLER_FILES = 300,               /* descriptors that it may need */
};

struct subscription;

struct teller {
	/* set by the caller; borrowed */
	const struct log *log;
	struct served *served;
	struct tcp_worker *const *workers; /* by the numbers in connections' ids */
	void (*wake)(void *ctx);           /* has teller_go_on() called */
	bool (*is_put_off)(void *ctx, const struct zone *z); /* by the loader: will a newer serial of it be written at once? */
	void (*ahead)(void *ctx, const struct secondary_event *e); /* by the loader: a secondary has a newer serial */
	void *ctx;
	enum notify_whom whom;
	bool is_loopback_kept;             /* told are loopback addresses alone, when all listeners have one */
	/* the rest is zero */
	struct net_notify *net;
	const struct listen_address *listen; /* borrowed */
	size_t listen_n;
	struct key_address own[TELLER_OWN_MAX];
	size_t own_n;
	bool is_loopback_only, has_said_passed;
	/* the loader's own */
	struct served_pin *told;           /* the view that was told last */
	const struct view *told_view;
	struct subscription *list;         /* owned */
	size_t n, cap;
	struct name *put_off;              /* owned: zones that nobody was told of, as a newer version is to follow at once */
	size_t put_off_n, put_off_cap;
	/* any thread's */
	pthread_mutex_t lock;              /* for is_on, and for what is done on condition of it; never held over a walk */
	bool is_on;                        /* between start and stop: workers may be there longer */
	struct secondary_queue heard;      /* for the loader */
	_Atomic unsigned at[TELLER_PLACES]; /* how many subscriptions may be told at an address there, or wait to be taken up */
};

/* Before any worker may call in. */
void teller_init(struct teller *t);
void teller_fini(struct teller *t); /* when none may any more */

/* `listen`: where we answer, borrowed until the end; notifications come from there, if it is one address a family.  The workers are
 * there. */
err_t teller_start(struct teller *t, const struct listen_address *listen, size_t n, struct diag *diag);

const struct pulse *teller_pulse(const struct teller *t); /* of its thread */

/* Before the workers go, and after the loader has ended.  What workers call in then does nothing. */
void teller_stop(struct teller *t);

/* Nothing goes to the workers any more.  In place of teller_stop() where the loader has not ended. */
void teller_silence(struct teller *t);

/* The loader: a view was published; there is something to go on with, or a newer version that was to follow may not come. */
void teller_on_changed(struct teller *t);
void teller_go_on(struct teller *t);

/* Any worker: EVENT_SUBSCRIBED, EVENT_AHEAD; and the callbacks of struct net_env. */
void teller_on_secondary(struct teller *t, const struct net_request *r, const struct server_out *out);
void teller_on_ahead(struct teller *t, const struct net_request *r, const struct server_out *out);
void teller_on_response(struct teller *t, uint64_t conn, const uint8_t *bytes, size_t len);
void teller_on_closed(struct teller *t, uint64_t conn);

void teller_log_stats(struct teller *t);
