/* git/local.h -- private to src/git: a remote on this machine, which is read and written where it is. */
#pragma once

#include "git/lib.h"
#include "git/remote.h"

/* Opens it; the path need not end in ".git". */
err_t git_open_local(const struct git_conf *conf, git_repository **out, struct diag *diag);
