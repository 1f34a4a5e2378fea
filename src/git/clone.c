#include "git/clone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct aside {
	char dir[HOME_DIR_MAX + 32];
};

static void
remove_aside(struct aside *a)
{
	if (a->dir[0] != '\0') {
		remove_tree(a->dir);
	}
}

/* An empty clone beside the real one, which it may replace later. */
static err_t
make_aside(const struct git_home *h, struct aside *a, git_repository **out, struct diag *diag)
{
	snprintf(a->dir, sizeof a->dir, "%s.new", h->clone);
	remove_tree(a->dir);
	int ret = git_repository_init(out, a->dir, 1);
	return ret < 0 ? git_trouble(diag, ret, "cannot make a clone in %.200s", h->dir) : OK;
}

/* By a rename, so that a clone which is there is a whole one. */
static err_t
put_in_place(const struct git_home *h, struct aside *a, struct diag *diag)
{
	git_home_drop_clone(h);
	if (rename(a->dir, h->clone) < 0) {
		diag_set(diag, DIAG_ERROR, "git", "cannot make a clone in %.200s: %s", h->dir, strerror(errno));
		return E_IO;
	}
	a->dir[0] = '\0';
	return OK;
}

static err_t
make_clone(const struct git_home *h, struct diag *diag)
{
	[[gnu::cleanup(remove_aside)]] struct aside aside = { 0 };
	[[gnu::cleanup(git_free_repo)]] git_repository *made = NULL;
	TRY(make_aside(h, &aside, &made, diag));
	return put_in_place(h, &aside, diag);
}

err_t
git_clone_open(const struct git_home *h, git_repository **out, struct diag *diag)
{
	git_home_sweep(h);
	if (git_repository_open_bare(out, h->clone) == 0) {
		return OK;
	}
	TRY(make_clone(h, diag));
	int ret = git_repository_open_bare(out, h->clone);
	return ret < 0 ? git_trouble(diag, ret, "cannot open the clone in %.200s", h->dir) : OK;
}

err_t
git_clone_renew(const struct git_home *h, const struct git_fetch *f, git_repository **repo, git_oid *out,
                struct diag *diag)
{
	[[gnu::cleanup(remove_aside)]] struct aside aside = { 0 };
	[[gnu::cleanup(git_free_repo)]] git_repository *made = NULL;
	TRY(make_aside(h, &aside, &made, diag));
	TRY(git_fetch(f, made, h->ref, out, diag));
	git_free_repo(repo);
	git_free_repo(&made);
	TRY(put_in_place(h, &aside, diag));
	return git_clone_open(h, repo, diag);
}
