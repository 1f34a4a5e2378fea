/* git/worker.h -- private to src/git: the process that does a PULL or a PUSH.  It may hang or crash: the supervisor
 * (git/gitproc.h) ends it then.
 *
 * Supervisor and worker have a socket with frames as on the link (git/link.h).  The supervisor sends:
 *   PULL      id: the last commit that the DNS side has, or "".  text: the commit of a PUSH that ended with E_UNKNOWN, or ""; the
 *             worker finds out whether the branch has it.  flags: enum worker_pull_flags
 *   GET       id: the commit; text: the path
 *   DONE      as on the link
 *   PUSH      as on the link; text: the branch that the last COMMIT or UPTODATE named
 * The worker sends:
 *   PROGRESS  the worker is alive.  With an id: from now on the remote may have that commit
 *   DONE      the worker only cleans up now, and then ends; the supervisor need not wait for it
 *   COMMIT, UPTODATE, FILE, FAILED, PUSHED, PUSH_FAILED, NOTE: as on the link, but for what the supervisor adds: the number of the
 *             PULL and the time that it took.  A FAILED that answers no PULL says that the last commit could not be written to the
 *             clone
 */
#pragma once

#include "git/home.h"
#include "git/link.h"
#include "git/remote.h"

enum worker_pull_flags {
	WORKER_WHOLE = 1 << 0,
	WORKER_FROM_CACHE = 1 << 1, /* do not fetch: tell the commit that the clone has */
};

/* Runs until the socket is closed, or until no request came for conf->linger_s after the last PULL or PUSH. */
void git_worker_run(const struct git_conf *conf, const struct git_home *home, int sock);
