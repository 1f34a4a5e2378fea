/* git/push.h -- private to src/git: brings a commit into the remote, in the way that suits the remote.
 *
 *   direct.c    a bare repository on this machine: objects and branch are written by us
 *   receive.c   one with hooks or the like: git itself does it
 *   upload.c    any other: over the network, with libgit2
 */
#pragma once

#include "git/clone.h"
#include "git/commit.h"
#include "git/connect.h"
#include "git/link.h"

struct git_push_job {
	const struct git_how *how;
	const struct git_home *home;
	struct git_clone *clone;        /* open; of a remote in place, that remote */
	git_repository **local;         /* of a remote on this machine with a clone: the remote itself; NULL: opened here.  The caller's */
	const struct link_frame *frame; /* PUSH */
	/* Called just before the remote gets the commit.  From then on a failure that the remote did not report is E_UNKNOWN. */
	void (*risk)(void *ctx, const git_oid *commit);
	void *ctx;
};

/* Does what a PUSH asks for, and fills type, id and times of `out`; after E_UNKNOWN too.  What the clone must keep of it is in its
 * intake then.  Errors: see git/link.h. */
err_t git_push_commit(const struct git_push_job *job, struct link_frame *out, struct diag *diag);

/* ---- the ways, for push.c alone ---- */

struct git_pushing {
	const struct git_push_job *job;
	const struct git_how *how;   /* the job's */
	const git_oid *base;         /* where the branch must be; NULL: it must not exist */
	const struct git_made *made;
};

/* E_UNSUPPORTED: that way does not fit. */
err_t git_push_direct(const struct git_pushing *p, git_repository *remote, struct diag *diag);
err_t git_push_receive(const struct git_pushing *p, git_repository *remote, struct diag *diag);
err_t git_push_upload(const struct git_pushing *p, git_repository *clone, struct diag *diag);
