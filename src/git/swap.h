/* git/swap.h -- private to src/git: moves a branch of a repository on this machine, if it is where it should be.
 *
 * By git's own protocol: whoever has made REF.lock may change REF, and does so by renaming the one to the other.  git leaves a
 * lock behind when it is killed, for people to remove.  Here that must not be, so the lock is made by a link() to a file that
 * has everything in it already, the marker: DIR/origin-push.PACK.PID.  Who is at work holds a flock() on it; a marker without one
 * is of somebody who is dead, and the lock that is the same file is his, and is removed.
 *
 * The pack is written beside the marker, as DIR/origin-pack.SUM.PID.pack: below DIR/objects `git prune` removes what it takes for
 * somebody's leftovers, and `git clone` of a local repository copies all that it sees there.
 *
 * Until the branch leads to it, the new pack is nobody's, and a `git repack -a -d` of that moment would drop it.  So, as git's own
 * receive-pack does, PACK.keep is there from before the pack is until after the branch was moved; it is the marker, too.
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

/* Writes the marker: `ref` ("refs/heads/...", borrowed) shall be `id`.  `pack`: the name of the pack that comes with it, of which no file
 * must be there yet; who finds the marker without its maker removes what there is of it but for a whole pack.  E_IO, E_REFUSED. */
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

/* Removes what pushes to this branch have left that were killed, as git_swap_begin() does. */
void git_swap_sweep(const struct git_local *l, const char *ref);

void git_swap_end(struct git_swap *s); /* a cleanup handler; needs `fd` at least (-1: none) */
