/* git/side.h -- the git side of a daemon, seen from its DNS side: processes that come back when they die.
 *
 * The keeper (git/keeper.h) is forked while there is one thread, and before the secrets are read.  It starts git_process_run() in a child,
 * and does so again, after a pause, when that child ends.  Only the keeper has the secrets, so nobody else could start a git process:
 * when the keeper is gone, the daemon ends.  Each git process has a socket of its own, whose end the keeper passes over; here it
 * always gets the same descriptor number, `link`, so that any thread may send on it.
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
#include "git/keeper.h"
#include "git/link.h"

struct git_side {
	pid_t keeper;
	struct git_pulses *pulses; /* shared with the others */
	char shown[LINK_TEXT_MAX]; /* the remote, for people */
	char user[PRIVS_NAME_MAX + 1]; /* that the git side runs as */
	bool is_file_root;         /* it needs root's way with files */
	struct pulse_watch watch;  /* the main thread's: of the keeper */
	int control;
	int link;                  /* the number stays; each git process has its own socket there (dup2) */
	atomic_bool is_stopping;
	atomic_bool is_up;         /* there is a git process */
};

/* Called before there is a second thread, and before anything is opened: all descriptors but standard output and error are closed.
 * `git`: what is not secret in it is set.  `secrets`: the keeper reads them, this process forgets them.  `user`: of --user, or NULL.
 * E_REFUSED: what is wrong has been printed already, or a signal has asked us to end; exit with *status.  E_IO, with `diag`. */
err_t git_side_start(struct git_side *g, struct git_conf *git, const struct keeper_secrets *secrets, const char *user, int *status,
                     struct diag *diag);

/* One thread: waits for the next git process, to which g->link leads afterwards; it has to be asked for a pull first of all.  `died`: how
 * the one before ended, "" for the first.  E_STOPPED: there will be none; `died` says why. */
err_t git_side_next(struct git_side *g, char died[LINK_TEXT_MAX]);

/* The same thread: the git process has ended. */
void git_side_died(struct git_side *g);
bool git_side_is_up(const struct git_side *g); /* any thread */

/* The main thread, about once a second: what is wrong with the keeper?  NULL: it is alive.  One that shows no life is told to go on
 * (somebody may have stopped it), and after as long again it is killed, which ends the daemon. */
const char *git_side_look(struct git_side *g, uint64_t now_ms);

/* Wakes git_side_next() and whoever receives on the link, for good. */
void git_side_close(struct git_side *g);

/* Ends the processes and waits for them, a second at most before they are killed. */
void git_side_stop(struct git_side *g);
