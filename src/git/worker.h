/* git/worker.h -- private to src/git: the process that does a PULL or a PUSH, and whatever hangs or crashes in it.
 *
 * Frames from the supervisor: PULL (id: the base, "" for none; text: the commit of which it is to be found out whether it was
 * pushed, "" for none; flags: WORKER_FROM_CACHE), GET (id: of which commit; text: path), DONE, PUSH (as on the link; text: the branch
 * that the last COMMIT or UPTODATE was of).
 * To it: PROGRESS (with an id: from now on the remote may have that commit), DONE (it is about to go, and only cleans
 * up: no need to wait for it), and the link's own COMMIT, UPTODATE, FILE, FAILED (status: an err_t; text), PUSHED, PUSH_FAILED.
 * A FAILED after one of the others: what was told could not be kept.  A NOTE is for the link, whenever it comes.
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
