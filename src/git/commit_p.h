/* git/commit_p.h -- private to git/commit*.c: the state while a commit is made.
 *
 *   commit.c       reads the PUSH; makes the objects of the files and of the commit
 *   commit_dirs.c  the directories (git's tree objects) that change
 */
#pragma once

#include "base/str.h"
#include "git/commit.h"

struct change {
	const char *path; /* borrowed from the map */
	size_t path_len;
	bool is_removal;
	uint8_t id[ID_LEN];
};

struct maker {
	const struct git_commit_in *in;
	struct git_made *out;
	struct diag *diag;
	git_odb *odb;
	const char *message; /* borrowed from the map */
	size_t message_len;
	struct change *changes; /* sorted by path */
	size_t n;
	uint64_t octets;        /* of all files */
};

/* Says what is wrong; returns `err`. */
[[gnu::format(printf, 3, 4)]] err_t commit_trouble(struct maker *m, err_t err, const char *format, ...);

/* Adds an object, unless it is there already.  Takes `owned`, also when it fails. */
err_t commit_add_object(struct maker *m, enum pack_type type, const void *data, size_t len, void *owned, uint8_t id[ID_LEN]);

/* A directory that changes. */
struct span {
	size_t from, to;    /* its changes in the list: from `from` up to, but without, `to` */
	size_t prefix;      /* so many octets of their paths are the directory's path, with the "/" at its end */
	const git_oid *old; /* its tree object in the base; NULL: it is new */
};

/* Makes the new tree object of the directory, and those of the directories below it.  *is_empty: no file is left in it.
 * Then there is no new tree object, unless the directory is the root. */
err_t commit_make_dir(struct maker *m, const struct span *s, uint8_t id[ID_LEN], bool *is_empty);
