#include "git/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "git/past.h"

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

enum { BIG_FILE = 1 << 20 }; /* octets; not worth a search for deltas when it is packed */

/* An empty clone beside the real one, which it may replace later. */
static err_t
make_aside(const struct git_home *h, struct aside *a, git_repository **out, struct diag *diag)
{
	git_config *config = NULL;
	snprintf(a->dir, sizeof a->dir, "%s.new", h->clone);
	remove_tree(a->dir);
	int ret = git_repository_init(out, a->dir, 1);
	ret = ret == 0 ? git_repository_config(&config, *out) : ret;
	ret = ret == 0 ? git_config_set_int64(config, "core.bigFileThreshold", BIG_FILE) : ret;
	git_config_free(config);
	return ret < 0 ? git_trouble(diag, ret, "cannot make a clone in %.200s", h->dir) : OK;
}

/* At once, so that a clone which is there is a whole one: the old one ends up aside. */
static err_t
put_in_place(const struct git_home *h, struct aside *a, struct diag *diag)
{
	if (renameat2(AT_FDCWD, a->dir, AT_FDCWD, h->clone, RENAME_EXCHANGE) == 0) {
		return OK;
	}
	git_home_drop_clone(h); /* there is none, or the file system cannot exchange */
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
git_clone_open(const struct git_home *h, struct git_clone *out, struct diag *diag)
{
	git_home_sweep(h);
	if (git_repository_open_bare(&out->repo, h->clone) != 0) {
		TRY(make_clone(h, diag));
		int ret = git_repository_open_bare(&out->repo, h->clone);
		if (ret < 0) {
			return git_trouble(diag, ret, "cannot open the clone in %.200s", h->dir);
		}
	}
	err_t err = intake_attach(out->repo, &out->intake, diag);
	if (err != OK) {
		git_clone_close(out);
		return err;
	}
	intake_set_open(out->intake, git_home_has_commit(h));
	return OK;
}

void
git_clone_close(struct git_clone *c)
{
	git_free_repo(&c->repo);
	c->intake = NULL;
}

err_t
git_clone_keep(const struct git_home *h, const struct git_how *how, struct git_clone *c, const git_oid *head,
               struct diag *diag)
{
	git_oid kept;
	TRY(intake_flush(c->intake, how->alive, how->ctx, diag));
	bool has_kept = git_reference_name_to_id(&kept, c->repo, h->ref) == 0;
	if (has_kept) {
		git_past_note(c->repo, h->left, &kept, head);
	}
	if (!has_kept || !git_oid_equal(&kept, head)) {
		TRY(git_keep(c->repo, h->ref, head, diag));
	}
	intake_set_open(c->intake, true);
	return OK;
}

err_t
git_clone_renew(const struct git_home *h, const struct git_how *how, struct git_clone *c, git_oid *out,
                struct str *branch, struct diag *diag)
{
	[[gnu::cleanup(remove_aside)]] struct aside aside = { 0 };
	[[gnu::cleanup(git_free_repo)]] git_repository *made = NULL;
	TRY(make_aside(h, &aside, &made, diag));
	TRY(git_fetch(how, made, h->ref, out, branch, diag));
	TRY(git_keep(made, h->ref, out, diag));
	git_clone_close(c);
	git_free_repo(&made);
	TRY(put_in_place(h, &aside, diag));
	return git_clone_open(h, c, diag);
}
