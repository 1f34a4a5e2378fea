/* git/repack.h -- private to src/git: objects of a repository are packed anew, with deltas between them. */
#pragma once

#include "git/connect.h"
#include "git/packs.h"

struct git_ids {
	git_oid *ids;
	size_t n, cap;
};

void git_ids_add(struct git_ids *all, const git_oid *id);
void git_ids_fini(struct git_ids *all);

/* Makes one pack of those objects in their repository, by libgit2's search for deltas, which takes some 0.1 ms an object: for some hundred
 * small ones. */
err_t git_repack(git_repository *repo, const struct git_how *how, const struct git_ids *ids, struct diag *diag);
