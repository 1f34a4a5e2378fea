/* bin/oprimary.h -- all parts of oprimary in one struct, for the files oprimary*.c that connect them.
 *
 * oprimary.c starts and stops the parts; oprimary_requests.c takes what workers pass on; oprimary_stats.c logs the counters, and
 * oprimary_survey.c tells them by --metrics.
 */
#pragma once

#include <stdatomic.h>

#include "bin/daemon.h"
#include "bin/history.h"
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
	struct key_uses uses;         /* when each key was last used; workers note it */
	struct primary_state state;   /* for octl and others who ask for our state */
	struct loader loader;
	struct notify_out notify;
	atomic_bool is_loader_silent; /* the loader is stuck, so nothing can be pulled or written */
	const char *git_trouble;      /* a static text; NULL: the git side is alive */
};

/* ---- oprimary_requests.c ---- */

/* Sets callbacks of opts.daemon.server, by which any worker gets what answers tell of the process and not of the view. */
void oprimary_fill_server(struct oprimary *p);

/* The workers' environment, for front_start().  Its callbacks may come on any worker's thread. */
struct net_env oprimary_env(struct oprimary *p);

/* ---- oprimary_survey.c ---- */

/* For struct daemon_program. */
bool oprimary_survey(struct daemon *d, struct survey **s);

enum { OPRIMARY_CHARTS = 3 };
extern const struct chart oprimary_charts[OPRIMARY_CHARTS];

/* ---- oprimary_stats.c ---- */

/* Logs all counters: stats, pull-stats, update-stats, notify-stats. */
void oprimary_log_stats(struct daemon *d);
