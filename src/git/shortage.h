/* git/shortage.h -- private to src/git: what this machine is short of, when that is why something failed.
 *
 * A disk that is full, a quota, a file system that is read-only, too many open files, no memory: each has its own remedy, and none is a
 * reason to think that a repository is damaged.  Libraries tell of these by text, or not at all: then it is found out by trying.
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
