/* ops/privs.h -- what a process gives up once it has what it needs.
 *
 * Call before the first thread is started: on Linux each thread has credentials of its own.
 */
#pragma once

#include <stddef.h>

#include "base/diag.h"
#include "base/err.h"

/* For good: the user's ids and groups (NULL: they stay), no capabilities (unless root stays root), no setuid
 * program gives any back (no_new_privs), no core dump and no debugger of the same user sees the secrets (not dumpable).
 * E_NOTFOUND: no such user; E_IO: the system said no. */
err_t privs_drop(const char *user, struct diag *diag);

/* Ends this process with SIGKILL when its parent ends.  After privs_drop(): changing credentials
 * clears it (prctl(2)).  `parent`: as getpid() gave it before the fork.  E_STOPPED: it has ended already. */
err_t privs_die_with_parent(int parent);

/* Room for `n` open files, as far as the hard limit allows.  E_LIMIT: *got is less than n. */
err_t privs_raise_files(size_t n, size_t *got);
