/* What git_clone_tidy() does: see git/clone.h. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <git2/sys/odb_backend.h>

#include "base/alloc.h"
#include "base/str.h"
#include "git/clone.h"
#include "git/walk.h"

enum {
	LOOSE_MAX = 600,              /* then they become a pack */
	PACKS_MAX = 16,               /* then they become one */
	MERGE_OCTETS_MAX = 64 << 20,  /* more than this takes too long to pack here: the remote has it packed already */
	GROWN_PACKS = 48,             /* so with larger ones the clone is made anew, but not as often, */
	GROWN_OCTETS = 256 << 20,     /* or when they have more than this, and more than the largest */
	LARGE_LOOSE = 128 << 10,      /* octets of its file, deflated, that make a file a large one */
};

struct ids {
	git_oid *ids;
	size_t n, cap;
};

static void
ids_fini(struct ids *all)
{
	free(all->ids);
}

static void
ids_add(struct ids *all, const git_oid *id)
{
	if (all->n == all->cap) {
		all->cap = all->cap == 0 ? 256 : all->cap * 2;
		all->ids = xrealloc(all->ids, all->cap * sizeof *all->ids);
	}
	all->ids[all->n++] = *id;
}

static int
ids_compare(const void *a, const void *b)
{
	return git_oid_cmp(a, b);
}

/* ---- loose objects ---- */

struct loose {
	struct ids small, large;
};

static void
loose_fini(struct loose *l)
{
	ids_fini(&l->small);
	ids_fini(&l->large);
}

static void
loose_path(const struct git_home *h, const git_oid *id, char out[PATH_MAX])
{
	char hex[GIT_OID_HEXSZ + 1];
	git_oid_tostr(hex, sizeof hex, id);
	snprintf(out, PATH_MAX, "%s/objects/%.2s/%s", h->clone, hex, hex + 2);
}

static void
list_fanout(const char *dir, const char *fanout, struct loose *out)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	while (d != NULL && (e = readdir(d)) != NULL) {
		char hex[GIT_OID_HEXSZ + 8];
		struct stat st;
		git_oid id;
		snprintf(hex, sizeof hex, "%s%.40s", fanout, e->d_name);
		if (strlen(hex) == GIT_OID_HEXSZ && git_oid_fromstr(&id, hex) == 0 && fstatat(dirfd(d), e->d_name, &st, 0) == 0) {
			ids_add(st.st_size > LARGE_LOOSE ? &out->large : &out->small, &id);
		}
	}
	if (d != NULL) {
		closedir(d);
	}
}

static void
list_loose(const struct git_home *h, struct loose *out)
{
	char dir[PATH_MAX], fanout[3];
	for (unsigned i = 0; i < 256; i++) {
		snprintf(fanout, sizeof fanout, "%02x", i);
		snprintf(dir, sizeof dir, "%s/objects/%s", h->clone, fanout);
		list_fanout(dir, fanout, out);
	}
}

static void
remove_loose(const struct git_home *h, const struct ids *ids)
{
	char path[PATH_MAX];
	for (size_t i = 0; i < ids->n; i++) {
		loose_path(h, &ids->ids[i], path);
		unlink(path);
	}
}

static err_t
add_changed(void *ctx, const struct tree_change *c)
{
	git_oid id;
	memcpy(id.id, c->id, sizeof id.id);
	ids_add(ctx, &id);
	return OK;
}

static err_t
list_head(git_repository *repo, const git_oid *head, struct ids *out, struct diag *diag)
{
	[[gnu::cleanup(git_free_commit)]] git_commit *commit = NULL;
	[[gnu::cleanup(git_free_tree)]] git_tree *tree = NULL;
	int ret = git_commit_lookup(&commit, repo, head);
	ret = ret == 0 ? git_commit_tree(&tree, commit) : ret;
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot read the clone");
	}
	TRY(git_walk(repo, NULL, tree, TREE_ENTRIES_MAX, add_changed, out, diag));
	if (out->n > 0) {
		qsort(out->ids, out->n, sizeof *out->ids, ids_compare);
	}
	return OK;
}

static bool
is_blob(git_odb *odb, const git_oid *id)
{
	size_t len = 0;
	git_object_t type = GIT_OBJECT_INVALID;
	return git_odb_read_header(&len, &type, odb, id) == 0 && type == GIT_OBJECT_BLOB;
}

/* Large files that the head has no more. */
static err_t
drop_old(const struct git_home *h, git_repository *repo, const git_oid *head, const struct ids *large, struct diag *diag)
{
	[[gnu::cleanup(git_free_odb)]] git_odb *odb = NULL;
	[[gnu::cleanup(ids_fini)]] struct ids now = { 0 };
	char path[PATH_MAX];
	if (large->n == 0) {
		return OK;
	}
	int ret = git_repository_odb(&odb, repo);
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot read the clone");
	}
	TRY(list_head(repo, head, &now, diag));
	for (size_t i = 0; i < large->n; i++) {
		const git_oid *id = &large->ids[i];
		bool is_now = now.n > 0 && bsearch(id, now.ids, now.n, sizeof *now.ids, ids_compare) != NULL;
		if (!is_now && is_blob(odb, id)) {
			loose_path(h, id, path);
			unlink(path);
		}
	}
	return OK;
}

/* ---- packs ---- */

static int
on_packing(int stage, uint32_t current, uint32_t total, void *ctx)
{
	const struct git_how *how = ctx;
	(void)stage;
	(void)current;
	(void)total;
	how->alive(how->ctx);
	return 0;
}

/* One pack of those objects; its name, as in pack-NAME.pack. */
static err_t
write_pack(git_repository *repo, const struct git_how *how, const struct ids *ids, char name[64], struct diag *diag)
{
	git_packbuilder *pb = NULL;
	int ret = git_packbuilder_new(&pb, repo);
	if (ret == 0) {
		git_packbuilder_set_threads(pb, 1);
		ret = git_packbuilder_set_callbacks(pb, on_packing, (void *)(uintptr_t)how);
	}
	for (size_t i = 0; i < ids->n && ret == 0; i++) {
		ret = git_packbuilder_insert(pb, &ids->ids[i], NULL);
	}
	ret = ret == 0 ? git_packbuilder_write(pb, NULL, 0, NULL, NULL) : ret;
	if (ret == 0) {
		snprintf(name, 64, "%s", git_packbuilder_name(pb));
	}
	err_t err = ret < 0 ? git_trouble(diag, ret, "cannot pack the clone") : OK;
	git_packbuilder_free(pb);
	return err;
}

struct pack {
	char path[PATH_MAX]; /* without ".pack" */
	uint64_t octets;
};

struct packs {
	struct pack *packs; /* the largest first */
	size_t n;
	uint64_t octets; /* of all but the largest */
};

static void
packs_fini(struct packs *p)
{
	free(p->packs);
}

static int
pack_compare(const void *a, const void *b)
{
	const struct pack *x = a, *y = b;
	return x->octets > y->octets ? -1 : x->octets < y->octets;
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
		struct stat st;
		if (len > 5 && strcmp(e->d_name + len - 5, ".pack") == 0 && fstatat(dirfd(d), e->d_name, &st, 0) == 0) {
			out->packs = xrealloc(out->packs, (out->n + 1) * sizeof *out->packs);
			struct pack *p = &out->packs[out->n++];
			p->octets = (uint64_t)st.st_size;
			snprintf(p->path, sizeof p->path, "%s/%.*s", dir, (int)len - 5, e->d_name);
		}
	}
	if (d != NULL) {
		closedir(d);
	}
	if (out->n > 0) {
		qsort(out->packs, out->n, sizeof *out->packs, pack_compare);
	}
	for (size_t i = 1; i < out->n; i++) {
		out->octets += out->packs[i].octets;
	}
}

static int
add_packed(const git_oid *id, void *ctx)
{
	ids_add(ctx, id);
	return 0;
}

static int
list_pack(const struct pack *p, struct ids *out)
{
	[[gnu::cleanup(git_free_odb)]] git_odb *odb = NULL;
	[[gnu::cleanup(str_fini)]] struct str index = { 0 };
	git_odb_backend *one = NULL;
	str_printf(&index, "%s.idx", p->path);
	int ret = git_odb_new(&odb);
	ret = ret == 0 ? git_odb_backend_one_pack(&one, str_text(&index)) : ret;
	ret = ret == 0 ? git_odb_add_backend(odb, one, 1) : ret;
	return ret == 0 ? git_odb_foreach(odb, add_packed, out) : ret;
}

/* The index goes first: without it nobody looks into the pack, so a kill in between leaves nothing half. */
static void
remove_pack(const struct pack *p)
{
	char path[PATH_MAX + 8];
	snprintf(path, sizeof path, "%s.idx", p->path);
	unlink(path);
	snprintf(path, sizeof path, "%s.pack", p->path);
	unlink(path);
}

static bool
is_named(const struct pack *p, const char *name)
{
	size_t len = strlen(p->path), n = strlen(name);
	return len >= n && strcmp(p->path + len - n, name) == 0;
}

/* All packs but the largest become one.  *c is closed: it has them open. */
static err_t
merge_packs(struct git_clone *c, const struct git_how *how, const struct packs *packs, struct diag *diag)
{
	[[gnu::cleanup(ids_fini)]] struct ids all = { 0 };
	char name[64] = "";
	int ret = 0;
	for (size_t i = 1; i < packs->n && ret == 0; i++) {
		ret = list_pack(&packs->packs[i], &all);
	}
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot read the clone's packs");
	}
	TRY(write_pack(c->repo, how, &all, name, diag));
	git_clone_close(c);
	for (size_t i = 1; i < packs->n; i++) {
		if (!is_named(&packs->packs[i], name)) {
			remove_pack(&packs->packs[i]);
		}
	}
	return OK;
}

static err_t
pack_loose(const struct git_home *h, const struct git_how *how, git_repository *repo, const struct ids *small,
           struct diag *diag)
{
	char name[64] = "";
	if (small->n <= LOOSE_MAX) {
		return OK;
	}
	TRY(write_pack(repo, how, small, name, diag));
	remove_loose(h, small);
	return OK;
}

/* The cache directory served another remote or branch before: nothing leads to its objects from now on, and they go when
 * the clone is made anew. */
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

err_t
git_clone_tidy(const struct git_home *h, const struct git_how *how, struct git_clone *c, const git_oid *head,
               struct diag *diag)
{
	[[gnu::cleanup(loose_fini)]] struct loose loose = { 0 };
	[[gnu::cleanup(packs_fini)]] struct packs packs = { 0 };
	list_loose(h, &loose);
	TRY(drop_old(h, c->repo, head, &loose.large, diag));
	TRY(pack_loose(h, how, c->repo, &loose.small, diag));
	list_packs(h, &packs);
	if (packs.n > PACKS_MAX && packs.octets <= MERGE_OCTETS_MAX) {
		forget_others(h, c->repo);
		return merge_packs(c, how, &packs, diag);
	}
	return OK;
}

bool
git_clone_is_grown(const struct git_home *h)
{
	[[gnu::cleanup(packs_fini)]] struct packs packs = { 0 };
	list_packs(h, &packs);
	return packs.n > GROWN_PACKS || (packs.octets > GROWN_OCTETS && packs.octets > packs.packs[0].octets);
}
