/* ops/state_dir.h -- a directory in which a program keeps files for its next run.
 *
 * It is opened once, before privileges are dropped, and files are reached through the descriptor.  One process has it at a time.
 *
 * A file is written aside and takes its place when it is complete and on the disk; or something is appended to it.  After an error errno
 * says why, and the file is as it was before; if even that fails, it may have octets behind the end that the caller knows of.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "ops/privs.h"

/* Makes the directory if it is not there, for `user` (whom the process becomes).  The descriptor holds the lock.  E_BUSY: another process
 * has it; E_IO. */
err_t state_dir_open(const char *path, const struct privs_who *user, int *dir, struct diag *diag);

/* Calls `each` with the name of each file that ends in `suffix`.  What was written aside for such a file and never completed is
 * removed; other files are left alone.  E_IO, E_NOMEM. */
err_t state_dir_each(int dir, const char *suffix, void (*each)(void *ctx, const char *name), void *ctx);

/* Opens a regular file for reading.  E_IO; E_NOTFOUND: it is no regular file, or not there. */
err_t state_file_open(int dir, const char *name, int *fd);

/* Writes a file aside: state_file_begin(), state_file_write() ..., and state_file_put() or state_file_drop(), which close it. */
err_t state_file_begin(int dir, const char *name, int *fd);
err_t state_file_write(int fd, const uint8_t *octets, size_t n);
err_t state_file_put(int dir, const char *name, int fd);
void state_file_drop(int dir, const char *name, int fd);

/* Writes behind the first `at` octets of the file, and cuts off what else was there.  It may be lost when the power fails.  E_STALE: the
 * file is shorter, or not there, or no regular file. */
err_t state_file_append(int dir, const char *name, uint64_t at, const uint8_t *octets, size_t n);

err_t state_file_remove(int dir, const char *name); /* OK also when it is not there */

/* Renames the file to NAME.damaged, in place of another one of that name. */
err_t state_file_set_aside(int dir, const char *name);
err_t state_dir_damaged(int dir, unsigned *n); /* how many files have such a name */

/* What was put and removed is so also after the power has failed. */
err_t state_dir_sync(int dir);
