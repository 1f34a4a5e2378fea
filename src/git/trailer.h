/* git/trailer.h -- private to src/git: what the trailers of commits allow (Origin-Allow: mass-delete). */
#pragma once

#include "git/lib.h"

enum git_allows {
	GIT_ALLOWS_NOTHING,
	GIT_ALLOWS_OWN, /* what is deleted in these commits: a primary made of updates the one that says so */
	GIT_ALLOWS_ALL, /* and what was deleted before and is held back */
};

/* Out of all commits that `commit` has in its history and `base` has not.  NULL: that would be all of history, and the commit itself
 * alone counts. */
enum git_allows git_history_allows(git_repository *repo, const git_oid *base, const git_oid *commit);
