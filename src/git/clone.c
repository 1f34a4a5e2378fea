#include "git/clone.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

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

/* ---- tidying ---- */

enum {
	PACKS_MAX = 16,               /* then they become one */
	REPACK_OCTETS_MAX = 64 << 20, /* more than this takes too long to pack here: the remote has it packed already */
	BIG_PACKS_MAX = 48,           /* so with larger ones the clone is made anew, but not as often */
};

struct packs {
	char **paths; /* of the .pack files */
	size_t n;
	uint64_t octets;
};

static void
packs_fini(struct packs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->paths[i]);
	}
	free(p->paths);
}

static void
add_pack(struct packs *p, const char *dir, const char *name)
{
	struct str path = { 0 };
	struct stat st;
	str_printf(&path, "%s/%s", dir, name);
	if (path.err == OK && stat(path.s, &st) == 0) {
		p->paths = xrealloc(p->paths, (p->n + 1) * sizeof *p->paths);
		p->paths[p->n++] = xstrdup(path.s);
		p->octets += (uint64_t)st.st_size;
	}
	str_fini(&path);
}

static void
list_packs(const struct git_home *h, struct packs *out)
{
	char dir[sizeof h->clone + 16];
	snprintf(dir, sizeof dir, "%s/objects/pack", h->clone);
	DIR *d = opendir(dir);
	struct dirent *e;
	while (d != NULL && (e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name);
		if (len > 5 && strcmp(e->d_name + len - 5, ".pack") == 0) {
			add_pack(out, dir, e->d_name);
		}
	}
	if (d != NULL) {
		closedir(d);
	}
}

/* The cache directory served another remote or branch before: nothing leads to its objects from now on. */
static void
forget_others(const struct git_home *h, git_repository *repo)
{
	git_strarray names = { 0 };
	if (git_reference_list(&names, repo) != 0) {
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		if (strcmp(names.strings[i], h->ref) != 0) {
			git_reference_remove(repo, names.strings[i]);
		}
	}
	git_strarray_dispose(&names);
}

static int
on_packing(int stage, uint32_t current, uint32_t total, void *ctx)
{
	const struct git_fetch *f = ctx;
	(void)stage, (void)current, (void)total;
	f->alive(f->ctx);
	return 0;
}

static int
write_pack(git_repository *repo, const struct git_fetch *f, const git_oid *head, git_packbuilder *pb)
{
	git_revwalk *walk = NULL;
	git_packbuilder_set_threads(pb, 1);
	git_packbuilder_set_callbacks(pb, on_packing, (void *)(uintptr_t)f);
	int ret = git_revwalk_new(&walk, repo);
	ret = ret == 0 ? git_revwalk_push(walk, head) : ret;
	ret = ret == 0 ? git_packbuilder_insert_walk(pb, walk) : ret;
	git_revwalk_free(walk);
	return ret == 0 ? git_packbuilder_write(pb, NULL, 0, NULL, NULL) : ret;
}

/* The index goes first: without it nobody looks into the pack, so a kill in between leaves nothing half. */
static void
remove_pack(const char *path)
{
	size_t len = strlen(path) - strlen("pack");
	struct str index = { 0 };
	str_printf(&index, "%.*sidx", (int)len, path);
	if (index.err == OK) {
		unlink(index.s);
		unlink(path);
	}
	str_fini(&index);
}

/* All that the head leads to as one pack; the others go when it is there. */
static err_t
repack(git_repository **repo, const struct git_fetch *f, const git_oid *head, const struct packs *old, struct diag *diag)
{
	git_packbuilder *pb = NULL;
	char name[128] = "";
	int ret = git_packbuilder_new(&pb, *repo);
	ret = ret == 0 ? write_pack(*repo, f, head, pb) : ret;
	if (ret == 0) {
		snprintf(name, sizeof name, "/pack-%s.pack", git_packbuilder_name(pb));
	}
	err_t err = ret < 0 ? git_trouble(diag, ret, "cannot pack the clone") : OK;
	git_packbuilder_free(pb);
	git_free_repo(repo); /* it has the old ones open */
	for (size_t i = 0; i < old->n && err == OK; i++) {
		if (strstr(old->paths[i], name) == NULL) {
			remove_pack(old->paths[i]);
		}
	}
	return err;
}

err_t
git_clone_tidy(const struct git_home *h, const struct git_fetch *f, git_repository **repo, const git_oid *head,
               struct diag *diag)
{
	[[gnu::cleanup(packs_fini)]] struct packs packs = { 0 };
	git_oid same;
	list_packs(h, &packs);
	if (packs.n <= PACKS_MAX) {
		return OK;
	}
	if (packs.octets <= REPACK_OCTETS_MAX) {
		forget_others(h, *repo);
		return repack(repo, f, head, &packs, diag);
	}
	return packs.n > BIG_PACKS_MAX ? git_clone_renew(h, f, repo, &same, diag) : OK;
}
