#include "git/signed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DIGITS_MAX = 15 }; /* of seconds: TSIG has 48 bits for them */

static void
put(struct link_build *build, const char *key, size_t len, uint64_t signed_s)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%" PRIu64, signed_s);
	link_build_put(build, LINK_ENTRY_SIGNED, key, len, text, (size_t)n);
}

/* Adds a trailer's value "KEY SECONDS".  False: it is malformed, as anybody may have written the commit. */
static bool
put_trailer(struct link_build *build, const char *value)
{
	const char *space = strrchr(value, ' ');
	size_t digits = space != NULL ? strspn(space + 1, "0123456789") : 0;
	if (digits == 0 || digits > DIGITS_MAX || space[1 + digits] != '\0' || space == value || space - value >= LINK_TEXT_MAX) {
		return false;
	}
	put(build, value, (size_t)(space - value), strtoull(space + 1, NULL, 10));
	return true;
}

/* Adds at most `max` times out of a commit; returns how many. */
static size_t
put_commit(struct link_build *build, const git_commit *commit, size_t max)
{
	git_message_trailer_array trailers = { 0 };
	size_t n = 0;
	if (git_message_trailers(&trailers, git_commit_message(commit)) != 0) {
		return 0;
	}
	for (size_t i = 0; i < trailers.count && n < max; i++) {
		n += strcasecmp(trailers.trailers[i].key, "Origin-Signed") == 0 && put_trailer(build, trailers.trailers[i].value);
	}
	git_message_trailer_array_free(&trailers);
	return n;
}

/* The newest first. */
static git_revwalk *
walk_from(git_repository *repo, const git_oid *base, const git_oid *commit)
{
	git_revwalk *walk = NULL;
	if (git_revwalk_new(&walk, repo) == 0 && (git_revwalk_sorting(walk, GIT_SORT_TIME) != 0 || git_revwalk_push(walk, commit) != 0 ||
	                                          (base != NULL && git_revwalk_hide(walk, base) != 0))) {
		git_free_walk(&walk);
	}
	return walk;
}

void
git_signed_put(git_repository *repo, const git_oid *base, const git_oid *commit, uint64_t now_s, struct link_build *build)
{
	[[gnu::cleanup(git_free_walk)]] git_revwalk *walk = walk_from(repo, base, commit);
	git_oid id;
	size_t told = 0;
	for (size_t n = 0; walk != NULL && git_revwalk_next(&id, walk) == 0; n++) {
		[[gnu::cleanup(git_free_commit)]] git_commit *c = NULL;
		if (git_commit_lookup(&c, repo, &id) != 0) {
			return;
		}
		uint64_t made_s = (uint64_t)git_commit_time(c);
		if (made_s + SIGNED_AGE_S < now_s) {
			return;
		}
		told += n < SIGNED_COMMITS_MAX ? put_commit(build, c, SIGNED_TOLD_MAX - told) : 0;
		if (n == SIGNED_COMMITS_MAX || told == SIGNED_TOLD_MAX) {
			put(build, ".", 1, made_s);
			return;
		}
	}
}
