/* git/snapshot.h -- private to src/git: what a commit changed against another, as the memfd of a COMMIT. */
#pragma once

#include "git/dirs.h"
#include "git/lib.h"
#include "git/link.h"
#include "git/past.h"
#include "git/remote.h"

struct git_snapshot_in {
	const struct git_conf *conf;
	git_repository *repo;
	const git_oid *base;      /* NULL: tell the whole tree.  So it is too when the base is gone from the repository */
	const git_oid *commit;
	const struct git_past_in *past; /* told with a whole tree; NULL: it is not */
	void (*alive)(void *ctx);
	void *ctx;
};

/* Fills type, flags, n, id and fd of `out`.  Only blobs of the root directory that changed are read.  E_LIMIT: too much in
 * one commit; E_IO: the repository is damaged, or there is no memory. */
err_t git_snapshot(const struct git_snapshot_in *in, struct link_frame *out, struct diag *diag);

/* A file of a commit, for GET: fills type, status and fd, or text. */
void git_snapshot_file(const struct git_conf *conf, git_repository *repo, struct git_dirs *dirs, const git_oid *commit,
                       const char *path, struct link_frame *out);
