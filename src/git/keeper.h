/* git/keeper.h -- the process that holds the secrets and keeps a git process running.
 *
 * It reads the remote and the secrets for it, drops its privileges, and tells its parent how that went.  From then on
 * it runs git_process_run() in a child.  Whenever that child ends or shows no life, the keeper starts another one after
 * a pause (ops/restarts.h).  It parses nothing that comes from outside.  Signals do not end it; it ends when its parent
 * closes the other end of `control`.
 *
 * It becomes the user of --user.  Root without --user becomes the owner of the local remote, or else of the cache
 * directory, or else (if there is neither) an unprivileged user.  If that user may not use the files that are needed,
 * the keeper stays root without capabilities; if that does not suffice either, it stays root with the capabilities for
 * files.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "git/link.h"
#include "git/remote.h"
#include "ops/log.h"
#include "ops/privs.h"
#include "ops/pulse.h"

enum { KEEPER_SILENT_MAX_MS = 10000 }; /* after so long without a beat (ops/pulse.h) a process shows no life */

/* In memory that the processes share. */
struct git_pulses {
	struct pulse keeper, supervisor;
};

/* The program's functions for the remote and its secrets, since only the program knows where they come from. */
struct keeper_secrets {
	int (*read)(void *ctx, struct git_conf *git); /* fills `git`.  0, or the exit status after it has printed what is wrong */
	void (*forget)(void *ctx);                    /* overwrites the secrets' texts (argv, environment) in the calling process */
	void *ctx;
};

/* All of it is borrowed.  Only `pulses` is shared with the keeper: of all else it has its own copy. */
struct keeper_conf {
	struct git_conf *git;
	const struct keeper_secrets *secrets;
	const char *user; /* NULL: none was named */
	const struct log *log; /* where calls that the sandbox forbids are reported; NULL: there is no sandbox */
	struct git_pulses *pulses;
};

/* The keeper sends frames on `control`.  The first one tells how it began:
 *   PROGRESS  it runs.  `text`: the remote, as people may see it, and behind a line end what its sandbox lacks; `id`: its user;
 *             flags: enum keeper_flags; `n`: errno(3) of secrets that may be written to swap, or 0
 *   FAILED    it ends.  `n`: the exit status; `text`: a message, a line end, a hint; "": the message was printed already
 * Each further frame is a PROGRESS for a new git process.  `fd`: its link; `text`: how the git process before ended. */
enum keeper_flags {
	KEEPER_IS_FILE_ROOT = 1 << 0, /* the keeper is root with the capabilities for files */
	KEEPER_RUNS_GIT = 1 << 1,     /* it is in SANDBOX_GIT_LOCAL, else in SANDBOX_GIT */
	/* what holds of that (struct sandbox_state) */
	KEEPER_HAS_CALLS = 1 << 2,
	KEEPER_HAS_FILES = 1 << 3,
	KEEPER_HAS_PORTS = 1 << 4,
};

/* Called in the child.  `parent`: the parent's getpid(), taken before the fork. */
[[gnu::noreturn]] void keeper_run(const struct keeper_conf *conf, int control, pid_t parent);
