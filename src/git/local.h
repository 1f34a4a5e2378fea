/* git/local.h -- private to src/git: a remote on this machine. */
#pragma once

#include "git/lib.h"
#include "git/remote.h"

/* Opens it.  --remote may leave out ".git".  E_UNSUPPORTED: the repository has a format that libgit2 cannot read
 * (git/format.h). */
err_t git_open_local(const struct git_conf *conf, git_repository **out, struct diag *diag);

/* How the repository must be written to.  As for git, its own configuration counts, the system's, and that of our user. */
struct git_local {
	git_repository *repo;    /* borrowed */
	const char *where;       /* path of its directory, which ends in "/"; borrowed from `repo` */
	int dir;                 /* the directory, open; -1: it cannot be opened */
	bool is_direct;          /* we may write there ourselves; else a push has to run git */
	bool is_tidied;          /* after a push git would tidy it: gc.auto, gc.autoPackLimit and receive.autogc do not forbid it */
	bool has_reflogs;        /* core.logAllRefUpdates: a push makes a reflog that is not there */
	int shared;              /* core.sharedRepository, as file_shared() */
};

/* is_direct is true if the repository is bare, has no other work trees, and has no hooks that a push would run, and if
 * each setting of receive.* and transfer.* is one that cannot matter to our pushes.  If that cannot be read, is_direct
 * is false: git will say what is wrong. */
void git_local_look(git_repository *repo, struct git_local *out);
void git_local_fini(struct git_local *l);
