/* git/reflog.h -- private to src/git: notes a move of a branch in the reflog of a repository on this machine. */
#pragma once

#include "git/local.h"

/* Writes, as git does, into the branch's log, and into HEAD's log when HEAD names the branch.  A log that does not
 * exist is made only if core.logAllRefUpdates says so.  `who`: name, address and time, as in a commit.  `old` NULL: the
 * branch is new. */
err_t git_reflog_note(const struct git_local *l, const char *ref, const git_oid *old, const git_oid *new, const char *who,
                      struct diag *diag);
