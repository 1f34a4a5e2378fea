/* bin/oprimary_keeper.h -- the process that keeps the secrets, and a git process that is alive.
 *
 * It reads the remote and the secrets for it, becomes whom it is to be, says so, and from then on starts
 * git_process_run() in a child, and does so again, after a pause (ops/restarts.h), when that ends or shows no life.  It parses
 * nothing that comes from outside, and signals do not end it; it goes when its parent closes the other end of `control`.
 *
 * Who it becomes: --user; or, started by root without that, the owner of what it works on (a local remote, or the cache directory), and
 * where there is no such thing an unprivileged user.  When that one may not read or write what is needed it stays root without
 * capabilities, and when that is not enough either, root with its way with files.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bin/oprimary_secrets.h"
#include "git/link.h"
#include "git/remote.h"
#include "ops/privs.h"
#include "ops/pulse.h"

enum { KEEPER_SILENT_MAX_MS = 10000 }; /* a process of ours that shows no life for so long is ended */

/* In memory that the processes share. */
struct git_pulses {
	struct pulse keeper, supervisor;
};

/* Borrowed; the new process has its own copy of all but `pulses`. */
struct keeper_conf {
	struct git_conf *git;
	struct secret_args *secrets;
	const char *user; /* NULL: none was named */
	struct git_pulses *pulses;
};

/* How it began, the first frame on `control`: PROGRESS, with the remote for people as `text`, the user as `id`, and KEEPER_IS_FILE_ROOT as
 * a flag; or FAILED: `n` is the exit status, `text` what was not printed yet, with a hint after a line end.
 * Each further one is a PROGRESS: a new git process, with its link as the descriptor; `text`: how the one before ended. */
enum keeper_flags { KEEPER_IS_FILE_ROOT = 1 << 0 };

/* In the child.  `parent`: as getpid() gave it before the fork. */
[[gnu::noreturn]] void keeper_run(const struct keeper_conf *conf, int control, pid_t parent);
