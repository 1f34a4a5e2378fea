/* bin/oprimary.h -- oprimary as a whole: its parts, for the files oprimary*.c that wire them.
 *
 * oprimary.c brings the parts up and down; oprimary_requests.c takes what workers pass on; oprimary_stats.c writes the counters.
 */
#pragma once

#include <stdatomic.h>

#include "bin/daemon.h"
#include "bin/oprimary_load.h"
#include "bin/oprimary_opts.h"
#include "bin/oprimary_state.h"
#include "git/side.h"
#include "net/inbox.h"
#include "net/notify_out.h"
#include "net/served.h"

struct oprimary {
	struct daemon daemon;        /* its ctx is this struct */
	struct opts opts;
	struct git_side git;
	struct primary *primary;
	struct served *served;
	struct inbox *inbox;
	struct key_uses uses;         /* of keys, by all workers */
	struct primary_state state;   /* for who asks how we are */
	struct loader loader;
	struct notify_out notify;
	atomic_bool is_loader_silent; /* nothing can be pulled or written */
	const char *git_trouble;      /* static; NULL: the git side is alive */
};

/* ---- oprimary_requests.c ---- */

/* What answers tell of the process, beside what is in the view: opts.daemon.server's callbacks, for any worker. */
void oprimary_fill_server(struct oprimary *p);

/* What workers pass on, for front_start(): the callbacks come on any worker. */
struct net_env oprimary_env(struct oprimary *p);

/* ---- oprimary_stats.c ---- */

/* Writes all counters to the log: stats, update-stats, notify-stats. */
void oprimary_log_stats(struct daemon *d);
