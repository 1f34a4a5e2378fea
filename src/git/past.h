/* git/past.h -- private to src/git: older versions of the files, which the first COMMIT tells besides the current ones.
 *
 * A secondary may have any of these versions, so their serials must not be used again.  They are looked for in the
 * history of the branch.  If somebody has rewritten the branch, the histories that were left behind count, too.  In a
 * local repository the branch's reflog leads there.  In a clone two references do (git/home.h): one to the commit of
 * the last run, and `left`.  The latter names commits of our own.  They have the beginnings of the versions that were
 * left behind, and nothing else: the clone would drop what is large, and a new clone gets nothing of it from the remote.
 *
 * The search delays the start, so each of its steps has a limit.  The branch's own history and what was left behind
 * have each limit for themselves: otherwise a long history would leave no room for the one version that was rewritten.
 * Versions that cannot be read are left out.
 */
#pragma once

#include "git/lib.h"
#include "git/link_files.h"

enum {
	PAST_COMMITS_MAX = 500,
	PAST_ENTRIES_MAX = 1000000, /* of root trees, in all */
	PAST_FILES_MAX = 10000,     /* versions of files that are told */
	PAST_FILE_OCTETS = 8192,    /* of each version: only the beginning is told, which has the SOA record */
	PAST_OCTETS_MAX = 64 << 20, /* of all versions together, at full length */
	PAST_LOG_MAX = 100,         /* the last entries of the branch's reflog */
};

struct git_past_in {
	git_repository *repo;
	const git_oid *head;
	const char *kept;   /* the reference to the clone's last commit, or NULL */
	const char *left;   /* the reference to the versions that were left behind, or NULL */
	const char *branch; /* its full name, to find its reflog; or NULL */
	void (*alive)(void *ctx);
	void *ctx;
};

/* Adds a LINK_ENTRY_PAST for each older version of a file of the root, oldest first.  A version that is the one in `head`
 * is left out.  If `build` would get more than `octets_max` octets, the oldest are left out, and those of the branch's own
 * history only after all that was left behind. */
void git_past_put(const struct git_past_in *in, struct link_build *build, uint64_t octets_max);

struct git_past_leaving {
	git_repository *from; /* the clone that has `old` and the reference `left` */
	git_repository *to;   /* the clone that has `head`, and gets the reference: the same, or one that takes its place */
	const char *left;
	const git_oid *old;   /* the clone's last commit; NULL: none */
	const git_oid *head;  /* its next one */
	void (*alive)(void *ctx);
	void *ctx;
};

/* Called before a clone moves on from `old` to `head`.  Writes down what is left behind: the history of `old`, if `head`
 * does not build on `old`, and what `left` has already.  E_IO: that cannot be written, so the clone must not move on.  What
 * cannot be read is left out. */
err_t git_past_leave(const struct git_past_leaving *l, struct diag *diag);
