/* git/access.h -- what the git side works on in the file system: whose it is, and whether we may use it.
 *
 * Plain files only, no libgit2.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "git/remote.h"

/* Whose is what is written to: a local remote, or else the cache directory?  False: there is neither. */
bool git_conf_owner(const struct git_conf *c, uid_t *uid, gid_t *gid);

/* May this process read and write all that `c` names?  What is missing, or on a disk that cannot be written, is no matter here: a
 * process with more rights would fare no better.  E_REFUSED. */
err_t git_conf_check_access(const struct git_conf *c);
