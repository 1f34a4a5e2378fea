/* ops/files.h -- plain files, and those that a process has inherited. */
#pragma once

#include <dirent.h>
#include <stddef.h>

#include "base/err.h"

/* A cleanup handler.  Closes *fd, unless it is -1. */
void file_close(int *fd);

err_t file_write(int fd, const void *octets, size_t len); /* all of it, or E_IO with errno */

/* Syncs the directory `name` in the directory `at` (AT_FDCWD: `name` is a path): afterwards the names of its files are on the disk.  E_IO
 * with errno. */
err_t file_sync_dir(int at, const char *name);

/* Opens the directory `name` in the directory `at` (AT_FDCWD: `name` is a path) for readdir().  The position of `at` stays as it is.
 * NULL: errno says why. */
DIR *file_list(int at, const char *name);
void file_close_dir(DIR **d); /* a cleanup handler */

/* Makes the file `path` and locks it, until file_unlock() or the end of the process.  E_BUSY: another process has it; E_IO with errno. */
err_t file_lock(const char *path, int *fd);

/* Removes and closes it, unless *fd is -1. */
void file_unlock(const char *path, int *fd);

/* Closes all files except standard output, standard error and keep[0, n), which is in rising order.  Standard input becomes /dev/null.
 * An inherited file may give access to secrets, and nobody needs it. */
void files_keep(const int *keep, size_t n);
