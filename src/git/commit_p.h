/* git/commit_p.h -- private to git/commit*.c: a commit while it is made.
 *
 *   commit.c       what a PUSH says; the objects; the commit itself
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

/* Changes from..to of the list, which have their first `prefix` octets in common: a directory, `old` before (NULL: none). */
struct span {
	size_t from, to, prefix;
	const git_oid *old;
};

/* Makes the directory out of `old` and the changes, and those below it.  *is_empty: nothing is left in it; then it has no object, unless it
 * is the root. */
err_t commit_make_dir(struct maker *m, const struct span *s, uint8_t id[ID_LEN], bool *is_empty);
