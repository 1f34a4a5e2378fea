/* git/past.h -- private to src/git: older versions of the files of the branch, which the first COMMIT tells besides the current ones.
 *
 * A secondary may have any of these versions, so their serials must not be used again.  They are looked for in the history of the branch.
 * If somebody has rewritten that, the older history counts, too: it is reached from the commit that the clone has of the last run and
 * the one before the last rewriting (git/home.h), or from the branch's reflog in a local repository.  This delays the start, so each of its
 * steps has a limit; what cannot be read is left out.
 */
#pragma once

#include "git/lib.h"
#include "git/link_files.h"

enum {
	PAST_COMMITS_MAX = 500,
	PAST_ENTRIES_MAX = 1000000, /* of root trees, in all */
	PAST_FILES_MAX = 10000,     /* versions of files that are told */
	PAST_FILE_OCTETS = 8192,    /* of each, the beginning: the SOA record stands there */
	PAST_OCTETS_MAX = 64 << 20, /* of all versions, as git gives them: whole */
	PAST_LOG_MAX = 100,         /* last moves of the branch in its log */
};

struct git_past_in {
	git_repository *repo;
	const git_oid *head;
	const char *kept;   /* reference of the clone's last commit, or NULL */
	const char *left;   /* reference of the last commit that a rewriting left behind, or NULL */
	const char *branch; /* its full name, where the repository has a log of it; or NULL */
	void (*alive)(void *ctx);
	void *ctx;
};

/* Adds LINK_ENTRY_PAST, oldest first, of files of the root that are not as they are in `head`; no more than `octets_max` in all. */
void git_past_put(const struct git_past_in *in, struct link_build *build, uint64_t octets_max);

/* Notes in `left` that the branch goes from `old` to `head`, when that is no step forward. */
void git_past_note(git_repository *repo, const char *left, const git_oid *old, const git_oid *head);
