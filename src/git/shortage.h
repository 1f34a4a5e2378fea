/* git/shortage.h -- private to src/git: finds out whether something failed because this machine is short of something.
 *
 * The disk is full, a quota is used up, the file system is read-only, too many files are open, there is no memory: each
 * has its own remedy, and in no case is a repository damaged.  libgit2 names the reason in its error text, or not at
 * all.  If it does not, we write a file to find out.
 */
#pragma once

#include <stdbool.h>

#include "base/diag.h"
#include "ops/shortage.h"

/* Finds a shortage by writing a file in `dir`, and removes the file.  NULL: there is none. */
const struct shortage *shortage_at(const char *dir);

/* For a failure with the text in `diag` that names no shortage.  If no file can be written in `dir`, `diag` says that
 * first, and gets the hint.  True: it was so. */
bool shortage_explain(const char *dir, struct diag *diag);
