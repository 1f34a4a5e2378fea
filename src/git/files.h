/* git/files.h -- private to src/git: plain files in a repository that others use, too. */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/str.h"

/* For [[gnu::cleanup]]: closes unless it is -1. */
void file_close(int *fd);

/* A directory by its name in the directory `at` (AT_FDCWD: a path), to go through with readdir(); NULL: errno says why. */
DIR *file_list(int at, const char *name);
void file_close_dir(DIR **d); /* for [[gnu::cleanup]] */

bool file_has_ending(const char *name, const char *ending);

/* "cannot WHAT PATH: why", out of errno, with a hint.  E_REFUSED: no right to write; E_IO: all else, a full disk among it. */
err_t file_trouble(struct diag *diag, const char *what, const char *path);

/* The same of a file in the directory `dir`, a path that ends in "/". */
err_t file_trouble_in(struct diag *diag, const char *what, const char *dir, const char *name);

err_t file_write(int fd, const void *bytes, size_t len); /* all of it, or E_IO with errno */

/* Makes the directories above the file `path` in `dir`, from that on whose name begins at `from`; `path` is as before afterwards.  Errors
 * show when the file is made. */
void file_make_parents(int dir, struct str *path, size_t from, int shared);

/* Which names a directory has, itself named by its name in `at`, is on the disk; or E_IO with errno. */
err_t file_sync_dir(int at, const char *name);

/* core.sharedRepository (git-config(1)): text, or NULL when it is not set.  0: the umask alone decides; above: these permissions
 * are given in any case; below: its negative is given, and nothing else. */
int file_shared(const char *text);

/* What git makes of the mode of a file, which the umask went over already. */
mode_t file_shared_mode(int shared, mode_t mode);

/* The same for a file that was just made. */
void file_share(int fd, int shared);
