/* git/worker.h -- private to src/git: the process that does a PULL or a PUSH.  It may hang or crash: the supervisor (git/gitproc.h)
 * ends it then.
 *
 * Frames that the supervisor sends, on a socket as the link's (git/link.h):
 *   PULL      id: the last commit that the DNS side has, or "".  text: a commit whose PUSH ended as E_UNKNOWN, or ""; is it in the branch?
 *             flags: enum worker_pull_flags
 *   GET       id: the commit; text: the path
 *   DONE      as on the link
 *   PUSH      as on the link; text: the branch that the last COMMIT or UPTODATE named
 * Frames that the worker sends:
 *   PROGRESS  it is alive.  With an id: from now on the remote may have that commit
 *   DONE      it only cleans up now, and ends then; the supervisor need not wait for it
 *   COMMIT, UPTODATE, FILE, FAILED, PUSHED, PUSH_FAILED, NOTE: as on the link.  A FAILED that comes when nothing was asked for: what was
 *             told last could not be written to the clone
 */
#pragma once

#include "git/home.h"
#include "git/link.h"
#include "git/remote.h"

enum worker_pull_flags {
	WORKER_WHOLE = 1 << 0,
	WORKER_FROM_CACHE = 1 << 1, /* do not fetch: tell what the clone has */
};

/* Runs until the socket is closed, or nothing came for conf->linger_s after a PULL or a PUSH was dealt with. */
void git_worker_run(const struct git_conf *conf, const struct git_home *home, int sock);
