/* git/trailer.h -- private to src/git: reads the trailers of commits.
 *
 * "Origin-Allow: mass-delete" says that the commit may remove most zones or records.  "Origin-Update" says that a
 * primary has made the commit out of updates; any other commit is made by people.
 */
#pragma once

#include "git/lib.h"
#include "git/tree.h"

enum git_allows {
	GIT_ALLOWS_NOTHING,
	GIT_ALLOWS_OWN, /* a primary's commit has Origin-Allow: it allows what that commit itself removes */
	GIT_ALLOWS_ALL, /* a commit by people has it: it also allows what was removed before and is held back */
};

struct git_history {
	enum git_allows allows; /* the most that one of the commits allows */
	bool has_people;        /* people made some of the commits */
};

/* Reads the commits that are in the history of `commit` and not in that of `base`.  If `base` is NULL or gone, only
 * `commit` itself is read. */
struct git_history git_history_read(git_repository *repo, const git_oid *base, const git_oid *commit);

/* Calls `changed` for each file that one of these commits changed, if that commit is of the kind GIT_ALLOWS_OWN.  A
 * file may come several times. */
err_t git_history_own(git_repository *repo, const git_oid *base, const git_oid *commit,
                      err_t (*changed)(void *ctx, const struct tree_change *c), void *ctx, struct diag *diag);
