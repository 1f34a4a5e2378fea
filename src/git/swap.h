/* git/swap.h -- private to src/git: moves a branch of a repository on this machine, if the branch is at the right commit
 * (compare and swap).
 *
 * DIR is the repository's directory, PACK the name of the new pack ("pack-SUM", with its checksum SUM), PID our process
 * number.
 *
 * It follows git's own protocol: the process that has made the file REF.lock may change REF, by renaming REF.lock to
 * REF.  A git that is killed leaves its lock behind, and people have to remove it.  That must not happen to us.  So we
 * first make another file, the marker DIR/origin-push.PACK.PID, and hold a flock() on it.  The lock is then made by
 * link(), as a second name of the marker.  A marker on which nobody holds a flock() belongs to a process that was
 * killed.  Such a marker is removed, and so is a lock that is the same file.
 *
 * The pack is written beside the marker, as DIR/origin-pack.SUM.PID.pack, and not below DIR/objects: there `git prune`
 * would take it for garbage, and `git clone` of a local repository would copy it.
 *
 * Until the branch is at the new commit, nothing refers to the objects in the new pack, and a `git repack -a -d` would
 * drop them.  So PACK.keep is made before the pack, and removed after the branch was moved, as git-receive-pack does.
 * PACK.keep is a further name of the marker.
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
	struct str lock;            /* `ref` with ".lock" */
	char marker[GIT_SWAP_NAME]; /* "" when there is none */
	char pack[GIT_PACK_NAME];
	char keep[GIT_SWAP_NAME];   /* "" when it is not there */
	char stem[GIT_SWAP_NAME];   /* the temporary name of the pack's files in DIR: see git/stage.h */
	int fd;                     /* of the marker */
	bool is_locked;
};

/* Writes the marker: `ref` ("refs/heads/...", borrowed) is to become `id`.  `pack` is the name of the new pack, whose
 * files must not exist yet.  If this process is killed, the next one that pushes to this branch removes the marker, and
 * the pack unless that is complete.  This function does so for earlier pushes to this branch, before it writes the
 * marker.  E_IO, E_REFUSED. */
err_t git_swap_begin(const struct git_local *l, const char *ref, const git_oid *id, const char *pack, struct git_swap *s,
                     struct diag *diag);
err_t git_swap_sync(struct git_swap *s, struct diag *diag); /* afterwards the marker's content is on the disk */

/* Locks the branch, checks that it is at `base` (NULL: it must not exist), and makes PACK.keep.  E_STALE: the branch is
 * not at `base`.  E_BUSY: another process held the lock for GIT_LOCK_WAIT_MS.  E_EXISTS: no branch can have that name.
 * E_UNSUPPORTED: the branch is a symbolic reference, or the file system cannot link() the marker there. */
enum { GIT_LOCK_WAIT_MS = 1000 };
err_t git_swap_lock(struct git_swap *s, const git_oid *base, struct diag *diag);

/* Moves the branch, durably.  E_UNKNOWN: it was moved, but the disk did not confirm that. */
err_t git_swap_commit(struct git_swap *s, struct diag *diag);

/* Removes what killed pushes to this branch have left. */
void git_swap_sweep(const struct git_local *l, const char *ref);

void git_swap_end(struct git_swap *s); /* a cleanup handler; `s` must be initialised, with fd -1 if there is no marker */
