/* git/swap.h -- private to src/git: moves a branch of a repository on this machine, if it is where it should be.
 *
 * It follows git's own protocol: whoever has made the file REF.lock may change REF, and does so by renaming REF.lock to REF.  A git that
 * is killed leaves its lock behind, for people to remove.  That must not happen here, so there is another file first, the marker
 * DIR/origin-push.PACK.PID, and the lock is made as a second name of it, by link().  A process that pushes holds a flock() on its
 * marker.  A marker that nobody has locked belongs to a process that was killed, and so does a lock that is the same file: both are
 * removed.
 *
 * The pack is written beside the marker, as DIR/origin-pack.SUM.PID.pack, and not below DIR/objects: there `git prune` would take it for
 * garbage, and `git clone` of a local repository would copy it.
 *
 * Before the branch leads to the new pack, nothing refers to what is in it, and a `git repack -a -d` would drop it.  So, as
 * git-receive-pack does, PACK.keep is made before the pack, and removed after the branch was moved; it is another name of the marker.
 */
#pragma once

#include "base/str.h"
#include "git/local.h"
#include "git/stage.h"

enum {
	GIT_SWAP_PACK = GIT_PACK_NAME + 12, /* "PACK.PID" */
	GIT_SWAP_NAME = GIT_SWAP_PACK + 32, /* a file's, in DIR */
};

struct git_swap {
	const struct git_local *local;
	const char *ref;            /* "refs/heads/...", borrowed */
	struct str lock;            /* and with ".lock" */
	char marker[GIT_SWAP_NAME]; /* "" when there is none */
	char pack[GIT_PACK_NAME];
	char keep[GIT_SWAP_NAME];   /* "" when it is not there */
	char stem[GIT_SWAP_NAME];   /* what files of the pack are called in DIR before they have their names: see git/stage.h */
	int fd;
	bool is_locked;
};

/* Writes the marker: `ref` ("refs/heads/...", borrowed) is to become `id`.  `pack`: the name of the pack that comes with it, of which there
 * must be no file yet.  If this process is killed, the next one that finds the marker removes these files, unless the pack is complete.
 * What earlier pushes to this branch left that were killed is removed first.  E_IO, E_REFUSED. */
err_t git_swap_begin(const struct git_local *l, const char *ref, const git_oid *id, const char *pack, struct git_swap *s,
                     struct diag *diag);
err_t git_swap_sync(struct git_swap *s, struct diag *diag); /* its content is on the disk */

/* Locks the branch, keeps the pack that is to come, and looks whether the branch is at `base` (NULL: it must not exist).  E_STALE: it is
 * not; E_BUSY: another process held the lock for GIT_LOCK_WAIT_MS; E_EXISTS: no branch can have that name; E_UNSUPPORTED: it is
 * symbolic, or the file system has no links, or not everywhere. */
enum { GIT_LOCK_WAIT_MS = 1000 };
err_t git_swap_lock(struct git_swap *s, const git_oid *base, struct diag *diag);

/* Moves it, durably.  E_UNKNOWN: it was moved, but the disk failed to confirm. */
err_t git_swap_commit(struct git_swap *s, struct diag *diag);

/* Removes what pushes to this branch left that were killed. */
void git_swap_sweep(const struct git_local *l, const char *ref);

void git_swap_end(struct git_swap *s); /* a cleanup handler; needs `fd` at least (-1: none) */
