/* bin/here.h -- the git repository of the current directory.  git itself is asked, so its environment and settings apply, as in hooks.
 */
#pragma once

#include "base/err.h"

/* The commit of `name`, or of HEAD, in hex.  E_NOTFOUND: there is no repository here, it has no such commit, or there is no git. */
err_t here_commit(const char *name, char out[65]);

enum here_relation { HERE_UNKNOWN, HERE_CONTAINED, HERE_NOT_CONTAINED };

/* Finds out whether the commit is `in` or one of its ancestors.  UNKNOWN: the repository does not have both. */
enum here_relation here_is_contained(const char *commit, const char *in);
