/* git/reflog.h -- private to src/git: writes into the reflog of a repository on this machine that a branch was moved. */
#pragma once

#include "git/local.h"

/* As git does: into the branch's log, and into HEAD's when it names the branch; a log that is not there is begun when
 * core.logAllRefUpdates says so.  `who`: name, address and time as in a commit; `old` NULL: there was no branch. */
err_t git_reflog_note(const struct git_local *l, const char *ref, const git_oid *old, const git_oid *new, const char *who,
                      struct diag *diag);
