/* git/side.h -- the git side of a daemon, as its DNS side starts, watches and ends it.
 *
 * The keeper (git/keeper.h) is forked while there is one thread, and before the secrets are read.  It starts a git
 * process (a child that calls git_process_run()), and another one when that ends.  Only the keeper has the secrets, so
 * only it can start a git process: when the keeper is gone, the daemon ends.  Each git process has its own socket.  The
 * keeper passes the other end of it to the DNS side, where it always gets the same descriptor number, `link`, so that
 * any thread may send on it.
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
#include "ops/sandbox.h"

struct git_side {
	const struct log *sandbox_log; /* set by the caller, borrowed: see struct keeper_conf */
	pid_t keeper;
	struct git_pulses *pulses; /* shared with the keeper and the git process */
	char shown[LINK_TEXT_MAX]; /* the remote, for people */
	char user[PRIVS_NAME_MAX + 1]; /* the user of the git side */
	bool is_file_root;         /* it is root with the capabilities for files */
	enum sandbox_role role;    /* of the git side, */
	struct sandbox_state sandbox; /* and what holds of it, when there is a sandbox */
	int unlocked;              /* errno(3) of secrets of the remote that may be written to swap; 0: none may */
	struct pulse_watch watch;  /* of the keeper; for the main thread */
	int control;
	int link;                  /* the number stays; each git process has its own socket there (dup2) */
	atomic_bool is_stopping;
	atomic_bool is_up;         /* there is a git process */
};

/* Starts the keeper.  Called before there is a second thread, and before anything is opened: all descriptors but
 * standard output and error are closed.  `git`: all but the secrets is set.  `secrets`: the keeper reads them, this
 * process forgets them.  `user`: of --user, or NULL.  E_REFUSED: the keeper has printed what is wrong, or a signal has
 * asked us to end; exit with *status.  E_IO, with `diag`. */
err_t git_side_start(struct git_side *g, struct git_conf *git, const struct keeper_secrets *secrets, const char *user, int *status,
                     struct diag *diag);

/* For one thread: waits for the next git process.  Afterwards g->link leads to it, and the caller must ask it for a
 * pull.  `died`: how the git process before ended, "" for the first.  E_STOPPED: there will be no other; `died` says
 * why. */
err_t git_side_next(struct git_side *g, char died[LINK_TEXT_MAX]);

/* The same thread: the git process has ended. */
void git_side_died(struct git_side *g);
bool git_side_is_up(const struct git_side *g); /* any thread */

/* For the main thread, about once a second: looks whether the keeper is alive.  NULL: it is.  Else a text says what was
 * done.  A keeper that shows no life gets a SIGCONT, since somebody may have stopped it.  If that does not help, it is
 * killed, which ends the daemon. */
const char *git_side_look(struct git_side *g, uint64_t now_ms);

/* From now on git_side_next(), and each thread that receives on the link, returns at once. */
void git_side_close(struct git_side *g);

/* Ends keeper and git process, and waits for them.  After a second they are killed. */
void git_side_stop(struct git_side *g);
