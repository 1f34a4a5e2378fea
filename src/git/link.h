/* git/link.h -- the socket between the DNS side and the git side, and the frames on it.
 *
 * It is a SOCK_SEQPACKET pair.  Each frame is one packet, so any thread may send one.  Contents of files cross in a
 * sealed memory file (git/link_files.h), whose descriptor is passed with the frame.
 *
 *   DNS → git   PULL pull [WHOLE]             bring what is new (several PULLs that wait are one); WHOLE: tell the whole tree again
 *               GET path                      send a file of the last COMMIT
 *               DONE status                   the DNS side has dealt with the COMMIT: go on
 *               PUSH id n + memfd             make a commit on top of `id` and push it
 *   git → DNS   COMMIT pull id flags + memfd  what changed since the last COMMIT that was DONE with OK
 *               UPTODATE pull id              nothing changed
 *               FILE status + memfd           answer to GET
 *               FAILED pull status text       the pull has failed; when the git side tries again
 *               PUSHED id                     the commit is in the remote, durably; how long that took
 *               PUSH_FAILED status text       nothing of the commit is in the remote (except after E_UNKNOWN, see below)
 *               NOTE text                     at any time, for the log: something about the repository that its owner should know
 *
 * PULLs have numbers, each a higher one than the last.  The git side also pulls without a PULL, after a failure.  So the result of a
 * pull (COMMIT, UPTODATE or FAILED) has the number of the newest PULL that had come when this pull began.  It is the answer to that
 * PULL and to all before; a PULL that came later gets its own.  A result with number 0 says nothing of the remote: the commit came out
 * of the cache.  FAILED with retry_s 0 answers every PULL: the git process ends.
 *
 * After a COMMIT the git side answers GETs until DONE; only then does the next PULL begin.  A COMMIT that is DONE with
 * an error is told again.  After DONE the git side answers GETs out of the last COMMIT that was DONE with OK.  Such a
 * GET gets E_BUSY at once when a pull is under way or waits (its outcome follows), and E_STALE when that commit is gone
 * from the repository (then send a PULL).
 *
 * PUSH: `id` is the last COMMIT that was DONE with OK.  It is "" when there was none: then the remote must not have the
 * branch yet, and the pushed commit becomes its first.  The memfd is built like a COMMIT's: first one MESSAGE, then
 * PUTs (any path; a file that exists keeps its mode) and REMOVEs, no path twice.  All other files stay as they are in
 * `id`.  There is one PUSH at a time, and each is answered by one PUSHED or PUSH_FAILED; a second PUSH meanwhile is
 * E_BUSY.  A PUSH waits until the pull under way has ended, its DONE included, and PULLs wait until the PUSH has ended.
 *
 * After PUSHED the commit counts as a COMMIT that was DONE with OK.  So the pull for the NOTIFY that a hook of the
 * remote sends ends with UPTODATE.  After PUSH_FAILED the status says what to do:
 *   E_STALE    the branch is not at `id`, or `id` is not the last COMMIT that was DONE with OK: PULL, make the change again, PUSH again
 *   E_REFUSED  a hook, a protected branch, no right to write: `text` has the remote's message
 *   E_UNKNOWN  the connection or a process was lost at a time when the remote may have had everything.  `id` is the name of the new
 *              commit.  Send a PULL: the next COMMIT or UPTODATE that comes from the remote has HAS_PUSHED if the branch has that
 *              commit.  (After FAILED with NO_BRANCH the remote does not have it.)  Until then every PUSH is E_STALE.
 *              As long as the branch has not moved, the remote may still be about to take the commit.  Then send the same PUSH
 *              with AGAIN: it makes the same commit, so that it does not matter which of the two arrives.  If a PUSH with AGAIN
 *              fails, the status is always E_UNKNOWN.
 *   others     E_AUTH, E_IO, E_TIMEOUT, E_LIMIT, E_FORMAT, ...: the same PUSH may succeed when the cause is gone
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum link_type {
	LINK_PULL = 1,
	LINK_GET,
	LINK_DONE,
	LINK_COMMIT,
	LINK_UPTODATE,
	LINK_FILE,
	LINK_FAILED,
	LINK_PUSH,
	LINK_PUSHED,
	LINK_PUSH_FAILED,
	LINK_PROGRESS, /* never on the link: workers (git/worker.h) and the keeper (git/keeper.h) send it on their own sockets */
	LINK_NOTE,
	LINK_TYPE_LAST = LINK_NOTE,
};

enum { LINK_TEXT_MAX = 2048 };

enum link_commit_flags {
	LINK_WHOLE = 1 << 0,             /* PULL, COMMIT: the whole tree (a first COMMIT has it, and one after history was rewritten) */
	LINK_ALLOW_MASS_DELETE = 1 << 1, /* COMMIT: a new commit, made by people, has the trailer Origin-Allow: mass-delete */
	LINK_FROM_CACHE = 1 << 2,        /* COMMIT: it comes out of --cache-dir, the remote was not reached */
	LINK_HAS_PUSHED = 1 << 3,        /* COMMIT, UPTODATE: the branch has the commit of the PUSH that ended with E_UNKNOWN */
	LINK_NO_BRANCH = 1 << 4,         /* FAILED: the remote was reached, and has no such branch: a PUSH on top of "" makes it */
	LINK_AGAIN = 1 << 5,             /* PUSH: the same PUSH has ended with E_UNKNOWN before; `text` is the name of its commit */
	LINK_OF_PEOPLE = 1 << 6,         /* COMMIT: since the last COMMIT there are commits made by people, not by a primary */
	LINK_CACHE_NEXT = 1 << 7,        /* FAILED: the commit in --cache-dir is told next */
};

struct link_frame {
	uint8_t type;
	uint8_t flags;
	uint16_t status;              /* FILE, DONE, FAILED, PUSH_FAILED: an err_t */
	uint32_t n;                   /* COMMIT, PUSH: entries in the memfd */
	uint32_t retry_s;             /* FAILED: time until the git side tries again; 0: it does not */
	uint32_t took_ms;             /* COMMIT, UPTODATE, FAILED: time that the pull took, or 0 when its commit was told before it failed;
	                               * PUSHED, PUSH_FAILED: time that the push took */
	uint32_t commit_us, push_us;  /* PUSHED: time to make the commit, and to bring it into the remote */
	uint64_t pull;                /* PULL: its number; COMMIT, UPTODATE, FAILED: which PULLs this answers (see above) */
	uint64_t now_s;               /* PUSH: time of the new commit, so that the same PUSH makes the same commit; 0: the current time */
	char id[65];                  /* commit, hex */
	char text[LINK_TEXT_MAX];     /* NUL-terminated.  GET: path; FAILED, PUSH_FAILED, NOTE: what, where, what to do; COMMIT,
	                               * UPTODATE: the branch's full name, "refs/heads/..." ("": the commit came out of the cache) */
	int fd;                       /* passed along, owned by the receiver; -1: none */
};

/* Blocks while the socket is full.  f->fd stays the caller's.  E_IO: the other side is gone. */
err_t link_send(int sock, const struct link_frame *f);

/* Waits for a frame.  E_BUSY: the socket is non-blocking, and no frame waits.  E_STOPPED: the other side is gone.
 * E_FORMAT: what came is no frame.  E_IO.  `out` is written only on OK; its fd is the caller's. */
err_t link_recv(int sock, struct link_frame *out);
