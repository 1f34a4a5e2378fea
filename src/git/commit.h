/* git/commit.h -- private to src/git: the commit that a PUSH asks for, as objects in memory.
 *
 * Nothing is written here: the way of the push decides where the objects go (git/push.h).  They are made without libgit2, which would look
 * for each object in every pack first, and leave out those that it finds.  But an object that is there and that nothing refers to may be
 * removed at any time by somebody's `git gc`, so a push has to bring it all the same.
 */
#pragma once

#include "git/idmap.h"
#include "git/lib.h"
#include "git/link_files.h"
#include "git/packout.h"
#include "git/remote.h"

enum { GIT_MESSAGE_MAX = 1 << 22 }; /* octets; a thousand updates of as many zones with the longest names take three quarters of it */

struct git_commit_in {
	const struct git_conf *conf;
	git_repository *repo;       /* has the base */
	const git_oid *base;        /* NULL: there is none, the commit will be a root */
	const struct link_map *map; /* of the PUSH; lives as long as what is made of it */
	uint32_t n;
	int64_t now_s;              /* of the epoch */
};

/* Zero-initialise. */
struct git_made {
	git_oid commit;
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

/* E_STALE: the base is not there; E_IO: it is damaged.  By the entries: E_FORMAT: they make no commit; E_LIMIT; E_NOTFOUND: a file to
 * remove is not there; E_EXISTS: a file where a directory is, or the other way round; E_REFUSED: a path that nobody may
 * write, a symbolic link or a submodule in the way.  E_NOMEM, E_CRYPTO. */
err_t git_commit_make(const struct git_commit_in *in, struct git_made *out, struct diag *diag);

/* All of it as one pack. */
err_t git_made_pack(const struct git_made *made, struct pack_out *out);

void git_made_fini(struct git_made *made);
