#include "git/clone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Made aside and moved into place, so that a clone which is there is a whole one. */
static err_t
make_clone(const struct git_home *h, struct diag *diag)
{
	[[gnu::cleanup(git_free_repo)]] git_repository *made = NULL;
	char aside[sizeof h->clone + 8];
	snprintf(aside, sizeof aside, "%s.new", h->clone);
	remove_tree(aside);
	int ret = git_repository_init(&made, aside, 1);
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot make a clone in %.200s", h->dir);
	}
	if (rename(aside, h->clone) < 0) {
		diag_set(diag, DIAG_ERROR, "git", "cannot make a clone in %.200s: %s", h->dir, strerror(errno));
		return E_IO;
	}
	return OK;
}

err_t
git_clone_open(const struct git_home *h, git_repository **out, struct diag *diag)
{
	git_home_sweep(h);
	if (git_repository_open_bare(out, h->clone) == 0) {
		return OK;
	}
	git_home_drop_clone(h);
	TRY(make_clone(h, diag));
	int ret = git_repository_open_bare(out, h->clone);
	return ret < 0 ? git_trouble(diag, ret, "cannot open the clone in %.200s", h->dir) : OK;
}
