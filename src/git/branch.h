/* git/branch.h -- private to src/git: which branch is followed, and where it stands. */
#pragma once

#include "base/str.h"
#include "git/lib.h"
#include "git/remote.h"

/* The branch that --remote names, or the one that the remote's HEAD does; *name is its full name ("refs/heads/x"), "HEAD"
 * when there is none to name.  E_NOTFOUND: it is not there (*name is filled all the same); diag tells which are. */
err_t git_branch_of_remote(const struct git_conf *conf, git_remote *connected, struct str *name, git_oid *id,
                           struct diag *diag);
err_t git_branch_of_local(const struct git_conf *conf, git_repository *repo, struct str *name, git_oid *id, struct diag *diag);

/* Where the branch of that full name stands.  E_NOTFOUND: it is not there (diag is left alone); E_IO. */
err_t git_branch_look(git_remote *connected, const char *name, git_oid *id, struct diag *diag);

/* Is `commit` the head or in its history?  Nothing is looked at that is in the history of `base` (NULL: none), and no more than the
 * last GIT_HISTORY_MAX commits. */
enum { GIT_HISTORY_MAX = 10000 };
bool git_branch_has(git_repository *repo, const git_oid *head, const git_oid *base, const git_oid *commit);
