/* git/access.h -- who owns the files that the git side works on, and whether this process may use them.
 *
 * Plain files only, no libgit2.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "git/remote.h"

/* The owner of the local remote, or else of the cache directory.  False: there is neither. */
bool git_conf_owner(const struct git_conf *c, uid_t *uid, gid_t *gid);

/* E_REFUSED: this process may not read or write a file that `c` names.  A file that is missing, or is on a read-only
 * disk, is no reason for that: a process with more rights could not use it either. */
err_t git_conf_check_access(const struct git_conf *c);
