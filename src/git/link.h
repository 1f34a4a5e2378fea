/* git/link.h -- the socket between the DNS side and the git side: small frames, whole or not at all.
 *
 * A SOCK_SEQPACKET pair; each frame is one packet, so that any thread may send one.  Contents of files cross in a sealed memory file
 * (git/link_files.h), whose descriptor is passed with the frame.
 *
 *   DNS → git   PULL [WHOLE]             bring what is new (several that wait are one); WHOLE: tell it all again
 *               GET path                 a file of the commit under way, or else of the last that was DONE with OK
 *               DONE status              the commit has been dealt with: go on
 *               PUSH id n + memfd        make a commit on top of `id` and push it
 *   git → DNS   COMMIT id flags + memfd  what changed since the last COMMIT that was DONE with status OK
 *               UPTODATE id              nothing changed
 *               FILE status + memfd      answer to GET
 *               FAILED status text       the pull came to nothing; when it is tried again
 *               PUSHED id                the commit is in the remote, durably; how long that took
 *               PUSH_FAILED status text  nothing of it is in the remote (but for E_UNKNOWN, see below)
 *               NOTE text                at any time: something about the repository that its owner should know, for the log
 *
 * After COMMIT the git side answers GETs until DONE; only then does the next PULL begin.  Without one it answers them out of
 * the last that was DONE with OK; the FILE is E_BUSY at once when a pull is under way or asked for, whose outcome follows,
 * and E_STALE when that commit is not there any more (then it takes a PULL).  A COMMIT that is
 * DONE with an error is told again.
 *
 * PUSH: `id` is the last COMMIT that was DONE with OK, "" when there was none (then the branch must not be there yet:
 * the commit becomes its first).  The memfd is as a COMMIT's: one MESSAGE first, then PUT (any path; where there is a file
 * already its mode stays) and REMOVE, no path twice.  What is not named stays as it is in `id`.  One PUSH at a time, each
 * answered by one PUSHED or PUSH_FAILED; a second one is E_BUSY.  A PUSH waits for the end of a pull that is under way
 * (for its DONE, too), and PULLs wait for the end of the PUSH.
 *
 * After PUSHED the commit counts as told and DONE with OK: the NOTIFY that a hook of the remote sends finds UPTODATE.
 * After PUSH_FAILED the status says what to do:
 *   E_STALE    the branch is not at `id`, or `id` is not what was DONE last: PULL, work it out again, PUSH again
 *   E_REFUSED  a hook, a protected branch, no right to write: `text` has the remote's words
 *   E_UNKNOWN  the connection or a process was lost when the remote may already have had everything.  The commit's name
 *              is in `id`.  PULL: the next COMMIT or UPTODATE that comes from the remote has HAS_PUSHED when the commit is
 *              its head or in its history (FAILED with NO_BRANCH: it is not).  Until then every PUSH is E_STALE.
 *              The remote may still be about to take it, as long as the branch has not moved: then the same PUSH, AGAIN, makes
 *              the same commit, so that it does not matter which of the two arrives.  All that fails is E_UNKNOWN then.
 *   others     E_AUTH, E_IO, E_TIMEOUT, E_LIMIT, E_FORMAT, ...: it may be tried again when the cause is gone
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
	LINK_PROGRESS, /* never on the link: of a worker (git/worker.h), and of the keeper (git/keeper.h) */
	LINK_NOTE,
	LINK_TYPE_LAST = LINK_NOTE,
};

enum { LINK_TEXT_MAX = 2048 };

enum link_commit_flags {
	LINK_WHOLE = 1 << 0,             /* the whole tree (the first COMMIT, or history was rewritten) */
	LINK_ALLOW_MASS_DELETE = 1 << 1, /* a commit that is no update's has the trailer Origin-Allow: mass-delete */
	LINK_FROM_CACHE = 1 << 2,        /* out of --cache-dir, the remote was not reached */
	LINK_HAS_PUSHED = 1 << 3,        /* also UPTODATE: the commit of the PUSH that ended E_UNKNOWN is in it */
	LINK_NO_BRANCH = 1 << 4,         /* FAILED: the remote was reached, and the branch is not there: a PUSH on "" makes it */
	LINK_AGAIN = 1 << 5,             /* PUSH: the same PUSH has ended E_UNKNOWN before; `text` is the commit that it made */
	LINK_OF_PEOPLE = 1 << 6,         /* COMMIT: people made some of the commits that came since the last COMMIT, no primary */
	LINK_CACHE_NEXT = 1 << 7,        /* FAILED: what is in --cache-dir is told now */
};

struct link_frame {
	uint8_t type;
	uint8_t flags;
	uint16_t status;              /* FILE, DONE, FAILED, PUSH_FAILED: an err_t */
	uint32_t n;                   /* COMMIT, PUSH: entries in the memfd */
	uint32_t retry_s;             /* LINK_FAILED: until the next try; 0: none by itself */
	uint32_t took_ms;             /* COMMIT, UPTODATE: what git took */
	uint32_t commit_us, push_us;  /* PUSHED: to make the commit, and to bring it into the remote */
	uint64_t now_s;               /* PUSH: the commit's time: the same PUSH makes the same commit; 0: when it is made */
	char id[65];                  /* commit, hex */
	char text[LINK_TEXT_MAX];     /* NUL-terminated.  GET: path; FAILED, PUSH_FAILED, NOTE: what, where, what to do; COMMIT,
	                               * UPTODATE: which branch it is, "refs/heads/..." ("": out of the cache) */
	int fd;                       /* passed along, owned by the receiver; -1: none */
};

/* Blocks while the socket is full.  E_IO: the other side is gone; f->fd stays the caller's. */
err_t link_send(int sock, const struct link_frame *f);

/* Blocks, unless the socket does not: then E_BUSY when nothing waits.  E_STOPPED: the other side is gone;
 * E_FORMAT: no frame of ours; E_IO.  Only on OK is anything written to `out`; its fd is the caller's. */
err_t link_recv(int sock, struct link_frame *out);
