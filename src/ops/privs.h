/* ops/privs.h -- drops privileges that a process no longer needs.
 *
 * To be called before the first thread is started, because on Linux each thread has its own credentials.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/diag.h"
#include "base/err.h"

enum { PRIVS_NAME_MAX = 64 };

/* The user that a process becomes.  Zero-initialised: the process keeps its user. */
struct privs_who {
	bool is_other;               /* the process changes to uid and gid */
	bool keeps_files;            /* keeps root's access to other users' files (CAP_DAC_OVERRIDE, CAP_FOWNER) and no other capability */
	bool keeps_clock;            /* the same for the right to set the clock (CAP_SYS_TIME) */
	uid_t uid;
	gid_t gid;
	char name[PRIVS_NAME_MAX];   /* of the user, to find its groups; "": no user has that uid */
};

/* For a process that holds secrets, before it reads the first one: no core dump has its memory, and no other process of its user, such as
 * a debugger, can read it (not dumpable).  The limit alone would not do: the kernel does not look at it where core_pattern names a program
 * (core(5)).  A program that is executed later can be read again. */
void privs_hide_memory(void);

/* Finds a user by name.  E_NOTFOUND. */
err_t privs_find(const char *name, struct privs_who *out, struct diag *diag);

/* Finds a user with few rights: "origin", or else "nobody".  E_NOTFOUND: there is neither. */
err_t privs_find_unprivileged(struct privs_who *out);

/* Makes the user for an owner's ids. */
void privs_find_owner(uid_t uid, gid_t gid, struct privs_who *out);

/* The user's name, or the number if there is no name. */
void privs_print(const struct privs_who *who, char out[PRIVS_NAME_MAX]);

/* Changes ids and groups permanently.  Then the process has no capabilities in any set (except those of keeps_...) and cannot get any
 * (securebits, no_new_privs).  It leaves no core dump, and a debugger of the same user cannot read its secrets (not dumpable).  A process
 * that is not root keeps its bounding set, which then has no effect.  E_IO: the system refused. */
err_t privs_drop(const struct privs_who *who, struct diag *diag);

/* True when `check` returns OK in a process of that user.  A child process becomes the user and calls `check`. */
bool privs_would_do(const struct privs_who *who, err_t (*check)(const void *ctx), const void *ctx);

/* Has the kernel end this process with SIGKILL when its parent ends.  To be called after privs_drop(), because a change of credentials
 * clears the setting (prctl(2)).  `parent` is the parent's getpid(), taken before the fork.  If the parent has another user, the kernel may
 * not deliver the signal; then the caller must notice the end in another way.  E_STOPPED: the parent has ended already. */
err_t privs_die_with_parent(int parent);

/* Raises the limit of open files to `n`, or as far as the hard limit allows.  *got is the limit afterwards, or 0 if it is unknown.
 * E_LIMIT: it is less than n.  E_IO: the system refused, and it may be less than n. */
err_t privs_raise_files(size_t n, size_t *got);
