/* git/home.h -- private to src/git: the directory that has a clone and the files beside it.
 *
 *   DIR/lock        locked with flock() by the primary that uses the directory, for as long as it runs
 *   DIR/clone.git   the clone
 *   DIR/.ssh        known_hosts for libssh2 (git/connect.h)
 *   DIR/vain        a commit for which a new clone did not help (git/clone.h)
 *
 * Plain files only, no libgit2: the supervisor uses this.
 */
#pragma once

#include <limits.h>

#include "base/diag.h"
#include "base/err.h"
#include "git/remote.h"

#define HOME_LOCK "lock"
#define HOME_CLONE "clone.git"

enum { HOME_DIR_MAX = PATH_MAX - 256, HOME_REF_MAX = 64 };

struct git_home {
	bool is_in_place;         /* a local remote without cache_dir: there is no clone, and no directory */
	bool is_temp;             /* the directory is below TMPDIR, and git_home_close() removes it */
	int lock;                 /* -1: none */
	char dir[HOME_DIR_MAX];
	char clone[HOME_DIR_MAX + 16];
	char ref[HOME_REF_MAX];   /* the clone's reference to the last commit of this remote and branch */
	char left[HOME_REF_MAX];  /* the clone's reference to what was left behind when the branch was rewritten (git/past.h) */
};

/* Makes the directory if it is not there, and locks it.  Also removes directories in TMPDIR that killed primaries have
 * left.  E_BUSY: another process has the lock; E_IO. */
err_t git_home_open(const struct git_conf *conf, struct git_home *out, struct diag *diag);

/* Where temporary directories are made: TMPDIR, or /tmp. */
const char *git_home_temp_root(void);

/* Makes and locks a temporary directory; git_home_close() removes it. */
err_t git_home_open_temp(struct git_home *out, struct diag *diag);

/* True when the clone has a commit of this remote and branch. */
bool git_home_has_commit(const struct git_home *h);

/* Removes the clone, so that the next fetch makes a new one. */
void git_home_drop_clone(const struct git_home *h);

/* Removes what killed workers have left in the clone: lock files, unfinished packs. */
void git_home_sweep(const struct git_home *h);

/* Unlocks the directory; removes a temporary one. */
void git_home_close(struct git_home *h);

/* Removes a directory with everything in it, without following links. */
void remove_tree(const char *path);
