/* git/fetch.h -- private to src/git: brings a branch of a remote into a clone, or finds it in place. */
#pragma once

#include "git/lib.h"
#include "git/remote.h"

struct git_fetch {
	const struct git_conf *conf;
	const char *home;           /* directory that is ours alone; for libssh2's known_hosts.  Not used for a local remote in place */
	void (*alive)(void *ctx);   /* called whenever there was progress */
	void *ctx;
};

/* Fetches what the clone lacks of the branch (no tags) and gives its commit.  `ref` is where the clone keeps the last one;
 * it is not moved: git_keep() does that once the objects are on the disk.  E_AUTH: credentials or the server's key;
 * E_NOTFOUND: no such repository or branch, or an empty repository; E_LIMIT; E_FORMAT: what is in the clone, or what the
 * remote sent, does not hold together; E_IO. */
err_t git_fetch(const struct git_fetch *f, git_repository *repo, const char *ref, git_oid *out, struct diag *diag);

/* Moves `ref`, forced: wherever the branch went, it is followed. */
err_t git_keep(git_repository *repo, const char *ref, const git_oid *id, struct diag *diag);

/* Opens a local remote where it is. */
err_t git_open_local(const struct git_conf *conf, git_repository **out, struct diag *diag);

/* The commit of the branch in a local remote. */
err_t git_local_head(const struct git_conf *conf, git_repository *repo, git_oid *out, struct diag *diag);
