/* git/dirs.h -- private to src/git: keeps directories (git's tree objects) in memory, for a caller that reads many
 * files one by one.
 *
 * libgit2 parses a directory again for each file that is looked up in it: to read all files of a directory of ten
 * thousand it would parse a hundred million entries.  A directory is kept under its object id, so it is the right one
 * in any commit.  It belongs to the repository that it was read from, and must go before that.
 */
#pragma once

#include "git/idmap.h"
#include "git/lib.h"

/* Zero-initialised it is empty and ready. */
struct git_dirs {
	struct id_map map;
	git_tree **list; /* the array and the trees are owned */
	size_t n, cap;
	size_t entries;  /* in all of them */
};

/* Finds a file by its path from the directory `root`.  GIT_ENOTFOUND: there is none; others as of git_tree_lookup(). */
int git_dirs_find(struct git_dirs *d, git_repository *repo, const git_oid *root, const char *path, git_oid *id, git_filemode_t *mode);
void git_dirs_fini(struct git_dirs *d); /* empty, and ready again */
