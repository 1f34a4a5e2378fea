/* git/fetch.h -- private to src/git: brings a branch of a remote into a clone. */
#pragma once

#include "git/connect.h"

/* Fetches what the clone lacks of the branch (no tags) and gives its commit and its full name.  `ref` is where the clone keeps the
 * last commit; it is not moved: git_keep() does that once the objects are on the disk.  E_AUTH: credentials or the server's
 * key; E_NOTFOUND: no such repository, or no such branch (then *branch has its name), or an empty repository; E_LIMIT; E_FORMAT:
 * what is in the clone, or what the remote sent, does not hold together; E_IO.  *out is written as soon as it is known
 * what the remote has, also when fetching that fails then. */
err_t git_fetch(const struct git_how *how, git_repository *repo, const char *ref, git_oid *out, struct str *branch,
                struct diag *diag);

/* Copies a commit of a local remote with its files, and nothing of its history: which libgit2, whose way to fetch from a local remote goes
 * through all of it, may not be able to read. */
err_t git_copy_commit(const struct git_how *how, git_repository *repo, const git_oid *id, struct diag *diag);

/* Moves `ref`, forced: wherever the branch went, it is followed. */
err_t git_keep(git_repository *repo, const char *ref, const git_oid *id, struct diag *diag);
