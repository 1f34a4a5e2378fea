/* git/snapshot.h -- private to src/git: the differences between two commits, as the memfd of a COMMIT. */
#pragma once

#include "git/dirs.h"
#include "git/lib.h"
#include "git/link.h"
#include "git/past.h"
#include "git/remote.h"

struct git_snapshot_in {
	const struct git_conf *conf;
	git_repository *repo;
	const git_oid *base;      /* NULL, or a commit that the repository does not have any more: the whole tree is told */
	const git_oid *commit;
	const struct git_past_in *past; /* older versions, told with a whole tree; NULL: they are not told */
	void (*alive)(void *ctx);
	void *ctx;
};

/* Makes a COMMIT: fills type, flags, n, id and fd of `out`.  Of the files only changed ones in the root directory are
 * read.  E_LIMIT: the commit has too much; E_IO: the repository is damaged; E_NOMEM. */
err_t git_snapshot(const struct git_snapshot_in *in, struct link_frame *out, struct diag *diag);

/* Makes a FILE, the answer to GET: fills type and status of `out`, and fd, or text after an error. */
void git_snapshot_file(const struct git_conf *conf, git_repository *repo, struct git_dirs *dirs, const git_oid *commit,
                       const char *path, struct link_frame *out);
