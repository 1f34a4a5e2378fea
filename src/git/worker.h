/* git/worker.h -- private to src/git: the process that does one PULL, and whatever hangs or crashes in it.
 *
 * Frames from the supervisor: PULL (id: the base, "" for none; text: the last commit that was told, "" for none;
 * flags: WORKER_FROM_CACHE), GET (id: of which commit; text: path), DONE.
 * To it: PROGRESS, DONE (it is about to go, and only cleans up: no need to wait for it), and the link's own COMMIT,
 * UPTODATE, FILE, FAILED (status: an err_t; text).  A FAILED after one of the others: what was told could not be kept.
 */
#pragma once

#include "git/home.h"
#include "git/remote.h"

enum worker_pull_flags {
	WORKER_WHOLE = 1 << 0,
	WORKER_FROM_CACHE = 1 << 1, /* do not fetch: tell what the clone has */
};

/* Runs until the socket is closed, or nothing came for conf->linger_s after a PULL was dealt with. */
void git_worker_run(const struct git_conf *conf, const struct git_home *home, int sock);
