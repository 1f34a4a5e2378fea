/* git/shortage.h -- private to src/git: did something fail because this machine is short of something?
 *
 * The disk is full, a quota is used up, the file system is read-only, too many files are open, there is no memory: each has a remedy of its
 * own, and in none of these cases is a repository damaged.  A library names the reason in its error text, or not at all; in the latter case
 * a file is written to find out.
 */
#pragma once

#include <stdbool.h>

#include "base/diag.h"

struct shortage {
	int number;       /* of errno(3) */
	const char *hint; /* what to do */
};

/* NULL: it is none of these. */
const struct shortage *shortage_of_errno(int number);

/* In an error's text. */
const struct shortage *shortage_in(const char *text);

/* What keeps us from writing a file in `dir`?  Leaves nothing behind. */
const struct shortage *shortage_at(const char *dir);

/* When nothing can be written in `dir`, `diag` says that before what it said, with what to do.  True: so it is. */
bool shortage_explain(const char *dir, struct diag *diag);
