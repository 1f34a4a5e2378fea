/* git/home.h -- private to src/git: the directory that a clone lives in, and who may use it.
 *
 *   DIR/lock        flock()ed by the primary that uses it, for as long as it lives
 *   DIR/clone.git   the clone
 *   DIR/.ssh        what libssh2 reads of it
 *   DIR/vain        the commit for which a new clone did not help either (git/clone.h)
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
	bool is_temp;             /* it is below TMPDIR, and git_home_close() removes it */
	int lock;                 /* -1: none */
	char dir[HOME_DIR_MAX];
	char clone[HOME_DIR_MAX + 16];
	char ref[HOME_REF_MAX];   /* where the branch of this remote stands in the clone */
	char left[HOME_REF_MAX];  /* where the branch stood in the clone before it was last moved to a commit that does not build on that */
};

/* Makes the directory if it is not there, and locks it.  E_BUSY: another process has it; E_IO.  Directories in TMPDIR that belonged to
 * primaries which were killed are removed. */
err_t git_home_open(const struct git_conf *conf, struct git_home *out, struct diag *diag);

/* Where temporary ones are made: TMPDIR, or /tmp. */
const char *git_home_temp_root(void);

/* A temporary directory below TMPDIR; git_home_close() removes it. */
err_t git_home_open_temp(struct git_home *out, struct diag *diag);

/* Is there a commit of this remote and branch from before? */
bool git_home_has_commit(const struct git_home *h);

/* Takes the clone away, so that the next fetch makes it anew. */
void git_home_drop_clone(const struct git_home *h);

/* Clears away what a worker that was killed left in the clone: lock files, unfinished packs. */
void git_home_sweep(const struct git_home *h);

/* Unlocks; a temporary one is removed. */
void git_home_close(struct git_home *h);

/* Removes a directory and all in it, without following links. */
void remove_tree(const char *path);
