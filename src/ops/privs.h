/* ops/privs.h -- what a process gives up once it has what it needs.
 *
 * Call before the first thread is started: on Linux each thread has credentials of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/diag.h"
#include "base/err.h"

enum { PRIVS_NAME_MAX = 64 };

/* Whom a process becomes.  Zero-initialised: it stays who it is. */
struct privs_who {
	bool is_other;               /* becomes uid and gid; else the ids stay */
	bool keeps_files;            /* root's way with the files of others stays (CAP_DAC_OVERRIDE, CAP_FOWNER), and nothing else */
	uid_t uid;
	gid_t gid;
	char name[PRIVS_NAME_MAX];   /* of the user, for groups; "": nobody has that uid */
};

/* The user of that name.  E_NOTFOUND. */
err_t privs_find(const char *name, struct privs_who *out, struct diag *diag);

/* Somebody who may do little: the user "origin", or else "nobody".  E_NOTFOUND: there is neither. */
err_t privs_find_unprivileged(struct privs_who *out);

/* The owner of something. */
void privs_find_owner(uid_t uid, gid_t gid, struct privs_who *out);

/* The user's name for people, or the number. */
void privs_print(const struct privs_who *who, char out[PRIVS_NAME_MAX]);

/* For good: ids and groups; no capabilities in any set (but for keeps_files), no way to get one (securebits, no_new_privs);
 * no core dump, and no debugger of the same user sees the secrets (not dumpable).  Who is not root keeps his bounding set, of
 * which nothing can come any more.  E_IO: the system said no. */
err_t privs_drop(const struct privs_who *who, struct diag *diag);

/* Would `check` say OK to somebody like that?  Found out by a process that becomes him. */
bool privs_would_do(const struct privs_who *who, err_t (*check)(const void *ctx), const void *ctx);

/* Ends this process with SIGKILL when its parent ends.  After privs_drop(): changing credentials
 * clears it (prctl(2)).  `parent`: as getpid() gave it before the fork.  A parent of another user may not be able to: then the
 * caller has to find out by other means.  E_STOPPED: it has ended already. */
err_t privs_die_with_parent(int parent);

/* Room for `n` open files, as far as the hard limit allows.  E_LIMIT: *got is less than n; E_IO: so it may be, and *got is 0 when nobody
 * knows. */
err_t privs_raise_files(size_t n, size_t *got);
