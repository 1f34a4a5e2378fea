/* git/commit.h -- private to src/git: the commit that a PUSH asks for, as objects in memory.
 *
 * Nothing is written here: where the objects go depends on the kind of push (git/push.h).  The objects are made without
 * libgit2.  It would look for each object in every pack first, and leave out the objects that it finds.  But a push has
 * to bring an object even if the repository has it already: if nothing refers to that object, somebody's `git gc` may
 * remove it at any time.
 */
#pragma once

#include "git/idmap.h"
#include "git/lib.h"
#include "git/link_files.h"
#include "git/packout.h"
#include "git/remote.h"

/* Octets.  The message about a thousand updates, each of another zone with a name of the greatest length, takes three
 * quarters of it. */
enum { GIT_MESSAGE_MAX = 1 << 22 };

struct git_commit_in {
	const struct git_conf *conf;
	git_repository *repo;       /* has the base */
	const git_oid *base;        /* the parent of the new commit; NULL: it has none */
	const struct git_made *last; /* from git_made_keep(): these objects need not be read */
	const struct link_map *map; /* the memfd of the PUSH; must stay mapped until git_made_fini() */
	uint32_t n;                 /* entries in it */
	int64_t now_s;              /* since the epoch */
};

/* Zero-initialise. */
struct git_made {
	git_oid commit, tree;
	struct git_made_object {
		uint8_t id[ID_LEN];
		enum pack_type type; /* PACK_COMMIT, PACK_TREE, PACK_BLOB */
		const void *data;    /* borrowed from the map, or `owned` */
		size_t len;
		void *owned;
	} *objects;                  /* each id once */
	size_t n, cap;
	struct id_map by_id;
};

/* E_STALE: the base is not there.  E_IO: the base is damaged.  E_FORMAT: the entries of the PUSH are malformed.
 * E_NOTFOUND: a file that is to be removed is not there.  E_EXISTS: a file would have the name of a directory, or the
 * other way round, or some systems could not tell its name from another one.  E_REFUSED: updates may not write that
 * path, or a symbolic link or a submodule is there.  E_LIMIT, E_NOMEM, E_CRYPTO. */
err_t git_commit_make(const struct git_commit_in *in, struct git_made *out, struct diag *diag);

/* Puts all objects into one pack. */
err_t git_made_pack(const struct git_made *made, struct pack_out *out);

/* The last commit and its directories stay in memory, as `last`, since the next commit builds on them; all else goes.  `made` is empty
 * then.  An id stands for the same octets for ever, so nothing of this becomes wrong, whatever becomes of the commit. */
void git_made_keep(struct git_made *made, struct git_made *last);

void git_made_fini(struct git_made *made);
