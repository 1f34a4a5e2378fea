/* git/clone.h -- private to src/git: the clone of a remote, kept small.  Used by workers alone, one at a time. */
#pragma once

#include "git/home.h"
#include "git/lib.h"

/* Opens the clone, or makes an empty one; what cannot be opened is thrown away and made anew. */
err_t git_clone_open(const struct git_home *h, git_repository **out, struct diag *diag);
