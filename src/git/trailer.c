#include "git/trailer.h"

#include <strings.h>

enum { COMMITS_MAX = 10000 };

static enum git_allows
read_trailers(const git_message_trailer_array *a)
{
	bool is_allowed = false, is_update = false;
	for (size_t i = 0; i < a->count; i++) {
		const git_message_trailer *t = &a->trailers[i];
		is_allowed |= strcasecmp(t->key, "Origin-Allow") == 0 && strcasecmp(t->value, "mass-delete") == 0;
		is_update |= strcasecmp(t->key, "Origin-Update") == 0;
	}
	return !is_allowed ? GIT_ALLOWS_NOTHING : is_update ? GIT_ALLOWS_OWN : GIT_ALLOWS_ALL;
}

static enum git_allows
commit_allows(git_repository *repo, const git_oid *id)
{
	[[gnu::cleanup(git_free_commit)]] git_commit *commit = NULL;
	git_message_trailer_array trailers = { 0 };
	if (git_commit_lookup(&commit, repo, id) != 0 || git_message_trailers(&trailers, git_commit_message(commit)) != 0) {
		return GIT_ALLOWS_NOTHING;
	}
	enum git_allows allows = read_trailers(&trailers);
	git_message_trailer_array_free(&trailers);
	return allows;
}

enum git_allows
git_history_allows(git_repository *repo, const git_oid *base, const git_oid *commit)
{
	[[gnu::cleanup(git_free_walk)]] git_revwalk *walk = NULL;
	enum git_allows most = GIT_ALLOWS_NOTHING;
	git_oid id;
	if (base == NULL || git_revwalk_new(&walk, repo) != 0 || git_revwalk_push(walk, commit) != 0 || git_revwalk_hide(walk, base) != 0) {
		return commit_allows(repo, commit);
	}
	for (size_t n = 0; n < COMMITS_MAX && most != GIT_ALLOWS_ALL && git_revwalk_next(&id, walk) == 0; n++) {
		enum git_allows allows = commit_allows(repo, &id);
		most = allows > most ? allows : most;
	}
	return most;
}
