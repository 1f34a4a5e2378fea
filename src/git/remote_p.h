/* git/remote_p.h -- private to git/remote*.c. */
#pragma once

#include "git/remote.h"

/* Says what is wrong with an option, and what to do; returns `err`. */
err_t git_conf_refuse(struct diag *diag, err_t err, const char *what, const char *hint);
