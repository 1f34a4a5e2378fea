/* git/push.h -- private to src/git: makes a commit and brings it into the remote.  There are three ways:
 *
 *   direct.c    into a bare repository on this machine: we write objects and branch ourselves
 *   receive.c   into a repository on this machine with hooks or the like: we run git
 *   upload.c    into any other remote: over the network, with libgit2
 */
#pragma once

#include "git/clone.h"
#include "git/commit.h"
#include "git/connect.h"
#include "git/link.h"

struct git_push_job {
	const struct git_how *how;
	const struct git_home *home;
	struct git_clone *clone;        /* open; for a local remote without clone, the remote itself */
	git_repository **local;         /* a local remote that has a clone; if *local is NULL, it is opened here.  The caller closes it */
	struct git_made *last;          /* what git_made_keep() kept of the last push, for this one and the next.  The caller frees it */
	const struct link_frame *frame; /* the PUSH */
	/* Called just before the remote gets the commit.  From then on a failure that the remote did not report is E_UNKNOWN. */
	void (*risk)(void *ctx, const git_oid *commit);
	void *ctx;
};

/* Does what a PUSH asks for.  Fills type, id and times of `out`, also when it returns E_UNKNOWN.  After OK the intake
 * of the clone has the new objects.  Errors: see git/link.h. */
err_t git_push_commit(const struct git_push_job *job, struct link_frame *out, struct diag *diag);

/* ---- the three ways, for push.c alone ---- */

struct git_pushing {
	const struct git_push_job *job;
	const struct git_how *how;   /* the job's */
	const git_oid *base;         /* where the branch must be; NULL: it must not exist */
	const struct git_made *made;
};

/* E_UNSUPPORTED: the remote needs another way. */
err_t git_push_direct(const struct git_pushing *p, git_repository *remote, struct diag *diag);
err_t git_push_receive(const struct git_pushing *p, git_repository *remote, struct diag *diag);
err_t git_push_upload(const struct git_pushing *p, git_repository *clone, struct diag *diag);
