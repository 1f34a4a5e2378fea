/* git/trailer.h -- private to src/git: what the trailers of commits allow (Origin-Allow: mass-delete). */
#pragma once

#include "git/lib.h"
#include "git/tree.h"

enum git_allows {
	GIT_ALLOWS_NOTHING,
	GIT_ALLOWS_OWN, /* what the commits that say so delete themselves: a primary made them of updates */
	GIT_ALLOWS_ALL, /* and what was deleted before and is held back */
};

/* Out of all commits that `commit` has in its history and `base` has not.  NULL: that would be all of history, and the commit itself
 * alone counts. */
enum git_allows git_history_allows(git_repository *repo, const git_oid *base, const git_oid *commit);

/* Is one of those commits no primary's?  Without a base nobody can tell, and it is none. */
bool git_history_has_people(git_repository *repo, const git_oid *base, const git_oid *commit);

/* Tells each file that one of those commits changed which allow what they do themselves; a file may come again. */
err_t git_history_own(git_repository *repo, const git_oid *base, const git_oid *commit,
                      err_t (*changed)(void *ctx, const struct tree_change *c), void *ctx, struct diag *diag);
