/* git/packs.h -- private to src/git: the packs of a repository, and how some of them become one.
 *
 * A pack is removed only after its objects were copied into another.  A process that has it open can still read it; others look for the
 * object again and find the new pack, as after any `git repack`.
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

/* How many packs there are in the repository with the directory `dir`, whatever they are: a quick look. */
size_t git_packs_count(int dir);

/* The octets of all packs but the largest, if they are more than those of the largest; else 0. */
uint64_t git_packs_octets(int dir);

/* The packs that may be joined with others and removed afterwards.  Left out are those with a .keep, .promisor, .mtimes or .bitmap file,
 * with an index of another version than 2, and those that a multi-pack-index names. */
void git_packs_list(int dir, struct git_packs *out);
void git_packs_fini(struct git_packs *p);

/* How many of the list, from the first on, should be joined?  So many that afterwards every pack has at least twice as many objects as all
 * smaller ones together (as with `git repack --geometric=2`): then an object is copied only a few times, however many packs come.  0:
 * none.  A pack with half of GIT_JOIN_OCTETS_MAX or more is never joined. */
enum { GIT_JOIN_OCTETS_MAX = 64 << 20 }; /* of a joined pack: half a second for 600,000 small objects */
size_t git_packs_tail(struct git_packs *p);

/* Joins the first `n` of the list and removes them.  E_FORMAT, E_UNSUPPORTED, E_LIMIT: they cannot be joined, and all is as it was. */
err_t git_packs_join(const struct git_packs *p, size_t n, const struct git_placing *how, struct diag *diag);
