/* git/packs.h -- private to src/git: lists the packs of a repository, and joins some of them into one.
 *
 * A pack is removed only after its objects were copied into another.  A process that has the removed pack open can
 * still read it.  Other processes do not find it, look again, and find the new pack, as after any `git repack`.
 */
#pragma once

#include <limits.h>

#include "base/diag.h"
#include "git/stage.h"

struct git_pack {
	char name[NAME_MAX + 1]; /* without its ending */
	uint64_t octets;
	uint32_t objects;
};

struct git_packs {
	int dir;              /* objects/pack; -1: it cannot be read */
	struct git_pack *all; /* the one with the fewest objects first */
	size_t n;
};

/* How many packs of any kind the repository with the directory `dir` has.  It is quick. */
size_t git_packs_count(int dir);

/* The octets of all packs without the largest one, if they are more than the largest has; else 0. */
uint64_t git_packs_octets(int dir);

/* Lists the packs that may be joined with others and removed afterwards.  A pack is left out if it has a .keep,
 * .promisor, .mtimes or .bitmap file, if its index is not of version 2, or if a multi-pack-index names it. */
void git_packs_list(int dir, struct git_packs *out);
void git_packs_fini(struct git_packs *p);

/* How many packs at the beginning of the list should be joined (0: none).  Afterwards every pack has at least twice as
 * many objects as all smaller ones together, as with `git repack --geometric=2`.  So an object is copied only a few
 * times, however many packs come.  Packs with more than half of GIT_JOIN_OCTETS_MAX are never joined; they are taken
 * off the list. */
enum { GIT_JOIN_OCTETS_MAX = 64 << 20 }; /* of a joined pack: half a second for 600,000 small objects */
size_t git_packs_tail(struct git_packs *p);

/* Joins the first `n` packs of the list and removes them.  E_FORMAT, E_UNSUPPORTED, E_LIMIT: they cannot be joined, and
 * stay as they were. */
err_t git_packs_join(const struct git_packs *p, size_t n, const struct git_placing *how, struct diag *diag);
