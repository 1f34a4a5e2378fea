/* git/fetch.h -- private to src/git: brings a branch of a remote into a clone. */
#pragma once

#include "git/connect.h"

/* Fetches the objects of the branch that the clone lacks (no tags).  Gives the branch's commit in *out, and its full
 * name.  *out is set as soon as the remote has told its commit, also when the fetch fails after that.  `ref` is the
 * clone's reference to the last commit.  It is not moved here: git_keep() does that once the objects are on the disk.
 *
 * E_AUTH: the credentials, or the server's key.  E_NOTFOUND: no such repository, no such branch (then *branch has its
 * name), or an empty repository.  E_FORMAT: the clone is damaged, or the objects that the remote sent do not fit to it.
 * E_LIMIT, E_IO. */
err_t git_fetch(const struct git_how *how, git_repository *repo, const char *ref, git_oid *out, struct str *branch,
                struct diag *diag);

/* Copies a commit of a local remote with its files, but without its history.  This is for a history that libgit2 cannot
 * read: its own fetch from a local remote would go through all of it. */
err_t git_copy_commit(const struct git_how *how, git_repository *repo, const git_oid *id, struct diag *diag);

/* Moves `ref` to `id`, also when this is no step forward: the clone follows the branch wherever it goes. */
err_t git_keep(git_repository *repo, const char *ref, const git_oid *id, struct diag *diag);
