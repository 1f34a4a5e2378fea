/* git/pack_objects.h -- private to src/git: makes a pack of loose objects of the clone, with deltas between them.
 *
 * Local remotes, which others use too, are repacked by git itself (git/upkeep.h).
 */
#pragma once

#include "git/connect.h"
#include "git/packs.h"

struct git_ids {
	git_oid *ids;
	size_t n, cap;
};

void git_ids_add(struct git_ids *all, const git_oid *id);
void git_ids_fini(struct git_ids *all);

/* Makes one pack of these objects, in their repository, with libgit2's search for deltas.  The search takes about 0.1 ms
 * an object, so this is for some hundred small objects. */
err_t git_pack_objects(git_repository *repo, const struct git_how *how, const struct git_ids *ids, struct diag *diag);
