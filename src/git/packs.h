/* git/packs.h -- private to src/git: packs on the disk, in the directory OBJECTS/pack of a repository.
 *
 * The repository may be anybody's, with other processes at work in it.  What is written appears whole or not at all, by a
 * rename, the index last.  What is removed was copied before; a process that had it open reads on, one that had not looks
 * again, as after any `git repack`.
 */
#pragma once

#include <limits.h>

#include "base/diag.h"
#include "git/packout.h"

enum { GIT_PACK_NAME = 5 + 2 * ID_LEN + 1 };

/* "pack-" and its checksum: the name of a pack that is made here. */
void git_packs_name(const struct pack_out *out, char name[GIT_PACK_NAME]);

struct git_pack {
	char name[NAME_MAX + 1]; /* without its ending */
	uint64_t octets;
	uint32_t objects;
};

struct git_packs {
	char dir[PATH_MAX];
	struct git_pack *all; /* the one with the fewest objects first */
	size_t n;
};

/* How many packs there are in the repository with the directory `dir`, whatever they are: a quick look. */
size_t git_packs_count(int dir);

/* The octets of all packs but the largest, if they are more than those of the largest; else 0. */
uint64_t git_packs_octets(const char *objects);

/* Those that may be joined with others and removed afterwards: which git (or somebody) keeps nothing beside but an index (of
 * version 2) and what follows from it: no .keep, .promisor, .mtimes, .bitmap, and which are in no multi-pack-index. */
void git_packs_list(const char *objects, struct git_packs *out);
void git_packs_fini(struct git_packs *p);

/* How many of the list, from the first on, should be joined: as many as leave every pack with twice the objects of all that
 * are smaller, so that an object is copied a number of times that grows with the logarithm of all that there are (as with
 * `git repack --geometric=2`).  0: none.  One that has half of JOIN_OCTETS_MAX is left alone for good. */
enum { GIT_JOIN_OCTETS_MAX = 64 << 20 }; /* of a joined pack: half a second for 600,000 small objects */
size_t git_packs_tail(struct git_packs *p);

/* A pack that is written, but has no name yet. */
struct git_staged {
	char dir[PATH_MAX];
	char name[GIT_PACK_NAME];
	char tmp[2][PATH_MAX]; /* pack, index: what they are called until then; "" when they are not there */
	int fd[2];
};

/* How packs are put into a repository. */
struct git_placing {
	const char *objects; /* its directory of objects, borrowed */
	const char *aside;   /* a directory where files are until they have a name, borrowed; NULL: OBJECTS/pack, as "tmp_..." */
	const char *stem;    /* with `aside`: their name there, without its ending, borrowed */
	int shared;          /* as file_shared() */
};

/* E_IO; E_REFUSED: no right to. */
err_t git_packs_stage(const struct git_placing *how, const struct pack_out *out, struct git_staged *s, struct diag *diag);

err_t git_packs_sync(struct git_staged *s, struct diag *diag);                   /* the content is on the disk */
err_t git_packs_place(struct git_staged *s, bool is_durable, struct diag *diag); /* the names are there; and on the disk */
void git_packs_unstage(struct git_staged *s); /* a cleanup handler: what was not placed goes.  Needs fd[] set by _stage(), or both -1 */

/* Joins from..to of the list and removes them.  E_FORMAT, E_UNSUPPORTED, E_LIMIT: they cannot be joined, and all is as it was. */
err_t git_packs_join(const struct git_packs *p, size_t from, size_t to, const struct git_placing *how, struct diag *diag);
