/* git/past.h -- private to src/git: older versions of the files, which the first COMMIT tells besides the current ones.
 *
 * A secondary may have any of these versions, so their serials must not be used again.  They are looked for in the
 * history of the branch.  If somebody has rewritten the branch, its old history counts, too.  In a clone two references
 * lead to the old history: one to the commit of the last run, one to the commit before the last rewriting (git/home.h).
 * In a local repository the branch's reflog leads there.  The search delays the start, so each of its steps has a
 * limit.  Versions that cannot be read are left out.
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
	const char *left;   /* the reference to the commit before the last rewriting, or NULL */
	const char *branch; /* its full name, to find its reflog; or NULL */
	void (*alive)(void *ctx);
	void *ctx;
};

/* Adds a LINK_ENTRY_PAST for each older version of a file of the root, oldest first, until `build` has `octets_max`
 * octets.  A version that is the one in `head` is left out. */
void git_past_put(const struct git_past_in *in, struct link_build *build, uint64_t octets_max);

/* Called before the branch moves from `old` to `head`.  If `head` does not build on `old`, the reference `left` keeps
 * `old`. */
void git_past_note(git_repository *repo, const char *left, const git_oid *old, const git_oid *head);
