/* bin/oprimary_git.h -- the git side of oprimary as a process that comes back when it dies.
 *
 * A keeper (bin/oprimary_keeper.h), forked while there is one thread, and before secrets are read, starts git_process_run() in a child and
 * does so again, after a pause, when the child ends.  It has the secrets, which the main process never had, so nobody can start
 * it anew: when it is gone, the main process ends.  Each life of the git process has a link of its own, which the keeper passes over; here
 * it is always the same descriptor, so that any thread may send on it.
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
#include "bin/oprimary_keeper.h"
#include "git/link.h"

struct git_side {
	pid_t keeper;
	struct git_pulses *pulses; /* shared with the others */
	char shown[LINK_TEXT_MAX]; /* the remote, for people */
	char user[PRIVS_NAME_MAX + 1]; /* that the git side runs as */
	bool is_file_root;         /* it needs root's way with files */
	struct pulse_watch watch;  /* the main thread's: of the keeper */
	int control;
	int link;                  /* number is constant, what it refers to changes (dup2) */
	atomic_bool is_stopping;
	atomic_bool is_up;         /* there is a git process */
};

/* Before any thread, and before anything is opened: what is open, but for standard output and error, is closed.  `git`: without what
 * the secrets tell.  `secrets` are read in the keeper alone, and overwritten here.  `user`: NULL when none was named.
 * E_REFUSED: what is wrong has been printed, or a signal wants us to end; *status to end with.  E_IO, with `diag`. */
err_t git_side_start(struct git_side *g, struct git_conf *git, struct secret_args *secrets, const char *user, int *status,
                     struct diag *diag);

/* One thread: waits for the next life of the git process; g->link leads to it, and a pull is its first deed.  `died`: how the
 * one before ended, "" for the first.  E_STOPPED: there will be none; `died` says why. */
err_t git_side_next(struct git_side *g, char died[LINK_TEXT_MAX]);

/* The same thread: it has ended.  Until the next one there is nobody to pull. */
void git_side_died(struct git_side *g);
bool git_side_is_up(const struct git_side *g); /* any thread */

/* The main thread, about once a second: what is wrong with it?  NULL: it is alive.  A keeper that shows no life is told to go on, in case
 * it was stopped, and then killed, which ends the life of the whole. */
const char *git_side_look(struct git_side *g, uint64_t now_ms);

/* Wakes git_side_next() and whoever receives on the link, for good. */
void git_side_close(struct git_side *g);

/* Ends the processes and waits for them, a second at most before they are killed. */
void git_side_stop(struct git_side *g);
