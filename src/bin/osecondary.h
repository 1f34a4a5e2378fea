/* bin/osecondary.h -- all parts of osecondary in one struct, for the files that connect them.
 *
 * osecondary.c starts and stops the parts; osecondary_follow.c connects the follower with the views, and with the requests of peers.
 *
 * One thread follows primaries (net/follow.h).  It alone makes and publishes views.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "bin/daemon.h"
#include "bin/history.h"
#include "bin/osecondary_opts.h"
#include "bin/survey_share.h"
#include "net/follow.h"
#include "net/follow_views.h"
#include "net/forward.h"
#include "net/notify_out.h"

struct osecondary {
	struct daemon daemon;        /* its ctx is this struct */
	struct secondary_opts opts;
	struct follow_views views;   /* the following thread's */
	struct notify_out notify;
	struct net_forward *forward; /* NULL: updates are refused */
	struct key_uses uses;        /* when each key was last used; workers and the following thread note it */
	struct pulse pulse;          /* beats while zones are walked for NOTIFY; nobody looks: the follower's limit is above that */
	pthread_mutex_t lock;        /* for `follow`; held while an entry is put into its queue */
	struct net_follow *follow;   /* NULL before it has started, and while it ends: workers may be there longer */
	atomic_bool is_state_wanted; /* SIGUSR1: the following thread is to log the state of each zone */
	struct survey_share share;   /* of the following thread */
};

/* ---- osecondary_survey.c ---- */

bool secondary_survey(struct daemon *d, struct survey **s); /* for struct daemon_program */
void secondary_survey_serve(struct osecondary *s, struct net_follow *follow); /* the following thread, when it was woken */

enum { OSECONDARY_CHARTS = 3 };
extern const struct chart secondary_charts[OSECONDARY_CHARTS];

/* ---- osecondary_follow.c ---- */

/* The workers' environment, for front_start().  Its callbacks may come on any worker's thread. */
struct net_env secondary_env(struct osecondary *s);

void secondary_forward_up(struct osecondary *s); /* with the views, and before the workers */

/* What the following thread is started with. */
struct net_follow_conf secondary_follow_conf(struct osecondary *s);

/* The following thread, or before it is there: tells the service manager how many zones there are. */
void secondary_tell(void *osecondary);

/* Any thread: the following thread has something to do. */
void secondary_wake(void *osecondary);
