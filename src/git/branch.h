/* git/branch.h -- private to src/git: which branch of the remote is served, and at which commit it is. */
#pragma once

#include "base/str.h"
#include "git/lib.h"
#include "git/remote.h"

/* Finds the branch that --remote names, or else the branch that the remote's HEAD names, and its commit.  *name becomes
 * the branch's full name ("refs/heads/x"), or "HEAD" when HEAD names no branch.  E_NOTFOUND: there is no such branch
 * (*name is set all the same); `diag` lists the branches that there are. */
err_t git_branch_of_remote(const struct git_conf *conf, git_remote *connected, struct str *name, git_oid *id,
                           struct diag *diag);
err_t git_branch_of_local(const struct git_conf *conf, git_repository *repo, struct str *name, git_oid *id, struct diag *diag);

/* The commit of the branch with this full name.  E_NOTFOUND: there is no such branch (`diag` stays as it is); E_IO. */
err_t git_branch_look(git_remote *connected, const char *name, git_oid *id, struct diag *diag);

/* True when `commit` is `head` or one of its ancestors.  Ancestors of `base` (NULL: none) are not looked at, and of the
 * others only the last GIT_HISTORY_MAX. */
enum { GIT_HISTORY_MAX = 10000 };
bool git_branch_has(git_repository *repo, const git_oid *head, const git_oid *base, const git_oid *commit);
