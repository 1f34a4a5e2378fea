/* git/trailer.h -- private to src/git: what the trailers of commits say: whether zones may go (Origin-Allow: mass-delete), and whether a
 * primary made the commit out of updates (Origin-Update).
 */
#pragma once

#include "git/lib.h"
#include "git/tree.h"

enum git_allows {
	GIT_ALLOWS_NOTHING,
	GIT_ALLOWS_OWN, /* what the commits that say so delete themselves: a primary made them of updates */
	GIT_ALLOWS_ALL, /* and what was deleted before and is held back */
};

struct git_history {
	enum git_allows allows;
	bool has_people; /* some were made by people, not by a primary */
};

/* Out of all commits that `commit` has in its history and `base` has not.  NULL: that would be all of history; what the commit itself
 * allows counts, and of people nobody can tell. */
struct git_history git_history_read(git_repository *repo, const git_oid *base, const git_oid *commit);

/* Tells each file that one of those commits changed which allow what they do themselves; a file may come again. */
err_t git_history_own(git_repository *repo, const git_oid *base, const git_oid *commit,
                      err_t (*changed)(void *ctx, const struct tree_change *c), void *ctx, struct diag *diag);
