#include "git/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "git/files.h"
#include "git/past.h"

/* A directory beside the clone, for a new clone or an old one. */
struct aside {
	char dir[HOME_DIR_MAX + 32]; /* "": there is none */
};

static void
remove_aside(struct aside *a)
{
	if (a->dir[0] != '\0') {
		remove_tree(a->dir);
	}
}

enum { BIG_FILE = 1 << 20 }; /* octets; libgit2 packs larger files without a search for deltas */

/* Makes an empty clone beside the real one, which it may replace later. */
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

/* Exchanges the two clones in one step, so that there is always a whole one.  The old clone is aside afterwards. */
static err_t
put_in_place(const struct git_home *h, struct aside *a, struct diag *diag)
{
	if (renameat2(AT_FDCWD, a->dir, AT_FDCWD, h->clone, RENAME_EXCHANGE) == 0) {
		return OK;
	}
	git_home_drop_clone(h); /* there is no old clone, or the file system cannot exchange */
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
	git_dirs_fini(&c->dirs); /* its trees are the repository's */
	git_free_repo(&c->repo);
	c->intake = NULL;
}

/* False: the clone has no commit. */
static bool
find_kept(const struct git_home *h, git_repository *repo, git_oid *out)
{
	return git_reference_name_to_id(out, repo, h->ref) == 0;
}

err_t
git_clone_keep(const struct git_home *h, const struct git_how *how, struct git_clone *c, const git_oid *head,
               struct diag *diag)
{
	git_oid kept;
	TRY(intake_flush(c->intake, how->alive, how->ctx, diag));
	bool has_kept = find_kept(h, c->repo, &kept);
	if (!has_kept || !git_oid_equal(&kept, head)) {
		const struct git_past_leaving leaving = {
			.from = c->repo, .to = c->repo, .left = h->left, .old = has_kept ? &kept : NULL, .head = head,
			.alive = how->alive, .ctx = how->ctx,
		};
		TRY(git_past_leave(&leaving, diag));
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
	git_oid kept;
	TRY(make_aside(h, &aside, &made, diag));
	err_t err = git_fetch(how, made, h->ref, out, branch, diag);
	if (err == E_FORMAT && how->conf->scheme == GIT_REMOTE_LOCAL) { /* the remote's history may be damaged, its head whole */
		err = git_copy_commit(how, made, out, diag);
	}
	TRY(err);
	const struct git_past_leaving leaving = {
		.from = c->repo, .to = made, .left = h->left, .old = find_kept(h, c->repo, &kept) ? &kept : NULL, .head = out,
		.alive = how->alive, .ctx = how->ctx,
	};
	TRY(git_past_leave(&leaving, diag));
	TRY(git_keep(made, h->ref, out, diag));
	git_clone_close(c);
	git_free_repo(&made);
	TRY(put_in_place(h, &aside, diag));
	return git_clone_open(h, c, diag);
}

/* ---- renewals that did not help ---- */

enum { RENEW_AGAIN_S = 600 };

/* The note is a file beside the clone, since the next PULL may be another worker's. */
static void
vain_path(const struct git_home *h, char out[HOME_DIR_MAX + 16])
{
	(void)snprintf(out, HOME_DIR_MAX + 16, "%s/vain", h->dir);
}

static bool
is_recent(const struct stat *st)
{
	time_t now = time(NULL);
	return st->st_mtime <= now && now - st->st_mtime < RENEW_AGAIN_S;
}

bool
git_clone_may_renew(const struct git_home *h, const git_oid *head)
{
	char path[HOME_DIR_MAX + 16];
	git_oid noted;
	struct stat st;
	vain_path(h, path);
	[[gnu::cleanup(file_close)]] int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool is_noted = fd >= 0 && fstat(fd, &st) == 0 && read(fd, noted.id, sizeof noted.id) == (ssize_t)sizeof noted.id;
	return !is_noted || !git_oid_equal(&noted, head) || !is_recent(&st);
}

void
git_clone_note_vain(const struct git_home *h, const git_oid *head)
{
	char path[HOME_DIR_MAX + 16];
	vain_path(h, path);
	[[gnu::cleanup(file_close)]] int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		(void)!file_write(fd, head->id, sizeof head->id); /* if this fails, another renewal is tried */
	}
}
