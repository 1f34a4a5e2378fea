/* git/local.h -- private to src/git: a remote on this machine, which is read and written where it is. */
#pragma once

#include "git/lib.h"
#include "git/remote.h"

/* Opens it; the path need not end in ".git".  E_UNSUPPORTED: it has a format that libgit2 cannot read (git/format.h). */
err_t git_open_local(const struct git_conf *conf, git_repository **out, struct diag *diag);

/* How it wants to be written to: its configuration counts, the system's, and that of our user, as they do for git. */
struct git_local {
	git_repository *repo;    /* borrowed */
	const char *where;       /* its directory, which ends in "/"; the repository's */
	int dir;                 /* the same, open: all files are reached from there; -1: it cannot be opened */
	bool is_direct;          /* nothing there asks for git's own receive-pack: see git_local_look() */
	bool is_tidied;          /* after a push git would tidy it: gc.auto, gc.autoPackLimit and receive.autogc do not forbid it */
	bool has_reflogs;        /* core.logAllRefUpdates: new ones are made */
	int shared;              /* core.sharedRepository, as file_shared() */
};

/* is_direct is for a bare repository, of which no work tree has a branch checked out, without hooks that a push would run, and
 * without a setting of receive.* or transfer.* that a push has to obey and we do not know.  What cannot be read counts as no:
 * git will say what is wrong with it. */
void git_local_look(git_repository *repo, struct git_local *out);
void git_local_fini(struct git_local *l);
