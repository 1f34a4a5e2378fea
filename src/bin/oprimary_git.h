/* bin/oprimary_git.h -- the git side of oprimary as a process that comes back when it dies.
 *
 * A keeper, forked while there is one thread, starts git_process_run() in a child and does so again, after a pause, when the
 * child ends (ops/restarts.h), until it has given up.  It has the secrets, which the main process has not, so nobody can start
 * it anew: when it is gone, the main process ends.  It parses nothing, and signals do not end it.  Each life of the git
 * process has a link of its own, which the keeper passes over; here it is always the same descriptor, so that any thread
 * may send on it.
 *
 *     main ── control ── keeper ── fork ── git process
 *       └──────────── link ───────────────────┘
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/diag.h"
#include "base/err.h"
#include "git/link.h"
#include "git/remote.h"

struct git_side {
	pid_t keeper;
	int control;
	int link;                  /* number is constant, what it refers to changes (dup2) */
	atomic_bool is_stopping;
	atomic_bool is_up;         /* there is a git process */
};

/* Before any thread.  `conf` is borrowed by the processes, each of which has a copy then.  `user`: as
 * privs_drop().  The descriptors in `theirs` (listeners) are closed in the new processes.  E_IO. */
err_t git_side_start(struct git_side *g, struct git_conf *conf, const char *user, const int *theirs, size_t theirs_n,
                     struct diag *diag);

/* One thread: waits for the next life of the git process; g->link leads to it, and a pull is its first deed.  `died`: how the
 * one before ended, "" for the first.  E_STOPPED: there will be none; `died` says why. */
err_t git_side_next(struct git_side *g, char died[LINK_TEXT_MAX]);

/* The same thread: it has ended.  Until the next one there is nobody to pull. */
void git_side_died(struct git_side *g);
bool git_side_is_up(const struct git_side *g); /* any thread */

/* Wakes git_side_next() and whoever receives on the link, for good. */
void git_side_close(struct git_side *g);

/* Ends the processes and waits for them, half a second at most before they are killed. */
void git_side_stop(struct git_side *g);
