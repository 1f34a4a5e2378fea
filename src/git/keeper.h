/* git/keeper.h -- the process that holds the secrets and keeps a git process running.
 *
 * It reads the remote and the secrets for it, changes to the user whom it runs as, and tells its parent so.  From then on it runs
 * git_process_run() in a child, and again, after a pause (ops/restarts.h), whenever that child ends or shows no life.  It parses nothing
 * that comes from outside.  Signals do not end it; it ends when its parent closes the other end of `control`.
 *
 * The user is that of --user.  Root without --user becomes the owner of what the git side works on (a local remote, or else the cache
 * directory), and where there is neither, an unprivileged user.  If that user may not read or write what is needed, the keeper stays root
 * without capabilities; if that does not suffice either, root with the capabilities for files.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "git/link.h"
#include "git/remote.h"
#include "ops/privs.h"
#include "ops/pulse.h"

enum { KEEPER_SILENT_MAX_MS = 10000 }; /* without a beat (ops/pulse.h) for so long a process is ended */

/* In memory that the processes share. */
struct git_pulses {
	struct pulse keeper, supervisor;
};

/* Where the remote and the secrets for it come from: only the program knows.  `read`: 0, or the status to exit with; what is wrong has been
 * printed.  `forget` overwrites what the process that calls it still has of the secrets' texts. */
struct keeper_secrets {
	int (*read)(void *ctx, struct git_conf *git);
	void (*forget)(void *ctx);
	void *ctx;
};

/* Borrowed; the new process has its own copy of all but `pulses`. */
struct keeper_conf {
	struct git_conf *git;
	const struct keeper_secrets *secrets;
	const char *user; /* NULL: none was named */
	struct git_pulses *pulses;
};

/* The first frame on `control` tells how the keeper began.  PROGRESS: `text` is the remote, as people may see it, `id` the user, and
 * KEEPER_IS_FILE_ROOT may be among the flags.  FAILED: `n` is the exit status, `text` what was not printed yet, a line end, and a hint.
 * Each further frame is a PROGRESS and tells of a new git process: its link is the descriptor, `text` how the one before ended. */
enum keeper_flags { KEEPER_IS_FILE_ROOT = 1 << 0 };

/* In the child.  `parent`: as getpid() gave it before the fork. */
[[gnu::noreturn]] void keeper_run(const struct keeper_conf *conf, int control, pid_t parent);
