/* git/dirs.h -- private to src/git: directories that were read, for whoever reads many files one by one.
 *
 * libgit2 reads a large directory anew each time that somebody asks for a file in it: ten thousand files of ten thousand cost a
 * hundred million entries.  A directory is known by its id, so what is here is right in any commit and any repository.
 */
#pragma once

#include "git/idmap.h"
#include "git/lib.h"

/* Zero-initialised it is empty and ready. */
struct git_dirs {
	struct id_map map;
	git_tree **list; /* owned, and what it points to */
	size_t n, cap;
	size_t entries;  /* in all of them */
};

/* A file by its path from the directory `root`.  GIT_ENOTFOUND: there is none; others as of git_tree_lookup(). */
int git_dirs_find(struct git_dirs *d, git_repository *repo, const git_oid *root, const char *path, git_oid *id, git_filemode_t *mode);
void git_dirs_fini(struct git_dirs *d); /* empty, and ready again */
