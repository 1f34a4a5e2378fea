/* git/files.h -- private to src/git: plain files in a repository that others use, too.  What is so of all files is in ops/files.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/str.h"
#include "ops/files.h"

bool file_has_ending(const char *name, const char *ending);

/* Fills `diag` with "cannot WHAT PATH: ..." and a hint, by errno.  Returns E_REFUSED when we may not write there, E_IO
 * for all else (a full disk, say). */
err_t file_trouble(struct diag *diag, const char *what, const char *path);

/* The same for the file `name` in the directory `dir`, a path that ends in "/". */
err_t file_trouble_in(struct diag *diag, const char *what, const char *dir, const char *name);

/* Makes the directories above the file `path`, which is below `dir`.  The first `from` octets of `path` are a directory that
 * exists.  `path` is unchanged afterwards.  Errors are not reported: they show when the file is made. */
void file_make_parents(int dir, struct str *path, size_t from, int shared);

/* The meaning of core.sharedRepository (git-config(1)); `text` is NULL when it is not set.  0: the umask alone decides.
 * Positive: these permissions are added to those that the umask leaves.  Negative: the file gets exactly the
 * permissions of the absolute value. */
int file_shared(const char *text);

/* The mode that git would give to a file which has `mode` after the umask. */
mode_t file_shared_mode(int shared, mode_t mode);

/* Gives that mode to a file that was just made. */
void file_share(int fd, int shared);
