/* bin/here.h -- the git repository that a tool is run in: asked by git itself, so that its environment and settings hold, as in hooks.
 */
#pragma once

#include "base/err.h"

/* The commit that HEAD is at, or that `name` is, in hex.  E_NOTFOUND: none is around, or it has none of that name, or there is no git. */
err_t here_commit(const char *name, char out[65]);

enum here_relation { HERE_UNKNOWN, HERE_CONTAINED, HERE_NOT_CONTAINED };

/* Is the commit in the history of the other one, or that one itself?  UNKNOWN: the repository does not have them both. */
enum here_relation here_is_contained(const char *commit, const char *in);
