#include "git/trailer.h"

#include <strings.h>

#include "git/walk.h"

enum { COMMITS_MAX = 10000, ENTRIES_MAX = 1 << 22 };

/* The trailers of a commit. */
struct said {
	bool is_allowed, is_update;
};

static struct said
commit_says(git_repository *repo, const git_oid *id)
{
	[[gnu::cleanup(git_free_commit)]] git_commit *commit = NULL;
	git_message_trailer_array trailers = { 0 };
	struct said s = { 0 };
	if (git_commit_lookup(&commit, repo, id) != 0 || git_message_trailers(&trailers, git_commit_message(commit)) != 0) {
		return s;
	}
	for (size_t i = 0; i < trailers.count; i++) {
		const git_message_trailer *t = &trailers.trailers[i];
		s.is_allowed |= strcasecmp(t->key, "Origin-Allow") == 0 && strcasecmp(t->value, "mass-delete") == 0;
		s.is_update |= strcasecmp(t->key, "Origin-Update") == 0;
	}
	git_message_trailer_array_free(&trailers);
	return s;
}

static enum git_allows
allows_of(struct said s)
{
	return !s.is_allowed ? GIT_ALLOWS_NOTHING : s.is_update ? GIT_ALLOWS_OWN : GIT_ALLOWS_ALL;
}

/* Walks the commits that are in the history of `commit` and not in that of `base`.  NULL: `base` is NULL, or it is gone. */
static git_revwalk *
walk_from(git_repository *repo, const git_oid *base, const git_oid *commit)
{
	git_revwalk *walk = NULL;
	if (base != NULL && git_revwalk_new(&walk, repo) == 0 &&
	    (git_revwalk_push(walk, commit) != 0 || git_revwalk_hide(walk, base) != 0)) {
		git_free_walk(&walk);
	}
	return walk;
}

struct git_history
git_history_read(git_repository *repo, const git_oid *base, const git_oid *commit)
{
	[[gnu::cleanup(git_free_walk)]] git_revwalk *walk = walk_from(repo, base, commit);
	struct git_history h = { .allows = GIT_ALLOWS_NOTHING };
	git_oid id;
	if (walk == NULL) { /* a git process that was started anew does not know what came: the last commit tells */
		struct said s = commit_says(repo, commit);
		h.allows = allows_of(s);
		h.has_people = !s.is_update;
		return h;
	}
	for (size_t n = 0; n < COMMITS_MAX && h.allows != GIT_ALLOWS_ALL && git_revwalk_next(&id, walk) == 0; n++) {
		struct said s = commit_says(repo, &id);
		enum git_allows allows = allows_of(s);
		h.allows = allows > h.allows ? allows : h.allows;
		h.has_people |= !s.is_update; /* a commit that ends the loop is by people */
	}
	return h;
}

/* ---- the files that the commits changed ---- */

struct telling {
	git_repository *repo;
	err_t (*changed)(void *ctx, const struct tree_change *c);
	void *ctx;
	struct diag *diag;
};

/* Tells the files that a commit changed, if it is of the kind GIT_ALLOWS_OWN.  A primary's commit has one parent at most. */
static err_t
tell_own(const struct telling *t, const git_oid *id)
{
	[[gnu::cleanup(git_free_commit)]] git_commit *commit = NULL, *parent = NULL;
	[[gnu::cleanup(git_free_tree)]] git_tree *old = NULL, *new = NULL;
	if (allows_of(commit_says(t->repo, id)) != GIT_ALLOWS_OWN) {
		return OK;
	}
	int ret = git_commit_lookup(&commit, t->repo, id);
	ret = ret == 0 ? git_commit_tree(&new, commit) : ret;
	if (ret == 0 && git_commit_parentcount(commit) != 0) {
		ret = git_commit_parent(&parent, commit, 0);
		ret = ret == 0 ? git_commit_tree(&old, parent) : ret;
	}
	return ret < 0 ? git_trouble(t->diag, ret, "cannot read commit %.12s", git_oid_tostr_s(id))
	               : git_walk(t->repo, old, new, ENTRIES_MAX, t->changed, t->ctx, t->diag);
}

err_t
git_history_own(git_repository *repo, const git_oid *base, const git_oid *commit,
                err_t (*changed)(void *ctx, const struct tree_change *c), void *ctx, struct diag *diag)
{
	[[gnu::cleanup(git_free_walk)]] git_revwalk *walk = walk_from(repo, base, commit);
	const struct telling t = { .repo = repo, .changed = changed, .ctx = ctx, .diag = diag };
	git_oid id;
	if (walk == NULL) {
		return tell_own(&t, commit);
	}
	for (size_t n = 0; n < COMMITS_MAX && git_revwalk_next(&id, walk) == 0; n++) {
		TRY(tell_own(&t, &id));
	}
	return OK;
}
