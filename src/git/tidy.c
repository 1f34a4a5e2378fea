/* How a clone is kept small: see git/clone.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "git/clone.h"
#include "git/files.h"
#include "git/pack_objects.h"
#include "git/packs.h"
#include "git/walk.h"

enum {
	LOOSE_MAX = 600,              /* more loose objects become a pack */
	PACKS_MAX = 16,               /* of more packs the small ones become one */
	GROWN_PACKS = 48,             /* with more packs, which must be too large to be joined, the clone is made anew */
	GROWN_OCTETS = 256 << 20,     /* the same if all packs but the largest have more octets, and more than the largest */
	LARGE_LOOSE = 128 << 10,      /* a loose object with more octets, deflated, is a large one */
};

static int
ids_compare(const void *a, const void *b)
{
	return git_oid_cmp(a, b);
}

/* ---- loose objects ---- */

struct loose {
	struct git_ids small, large;
};

static void
loose_fini(struct loose *l)
{
	git_ids_fini(&l->small);
	git_ids_fini(&l->large);
}

static void
remove_one(int dir, const git_oid *id)
{
	char hex[GIT_OID_HEXSZ + 1], name[GIT_OID_HEXSZ + 16];
	git_oid_tostr(hex, sizeof hex, id);
	snprintf(name, sizeof name, "objects/%.2s/%s", hex, hex + 2);
	unlinkat(dir, name, 0);
}

static void
remove_loose(int dir, const struct git_ids *ids)
{
	for (size_t i = 0; i < ids->n; i++) {
		remove_one(dir, &ids->ids[i]);
	}
}

static void
list_fanout(int dir, unsigned first, struct loose *out)
{
	char name[16];
	snprintf(name, sizeof name, "objects/%02x", first);
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(dir, name);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		char hex[GIT_OID_HEXSZ + 8];
		struct stat st;
		git_oid id;
		snprintf(hex, sizeof hex, "%02x%.40s", first, e->d_name);
		if (strlen(hex) == GIT_OID_HEXSZ && git_oid_fromstr(&id, hex) == 0 && fstatat(dirfd(d), e->d_name, &st, 0) == 0) {
			git_ids_add(st.st_size > LARGE_LOOSE ? &out->large : &out->small, &id);
		}
	}
}

static void
list_loose(int dir, struct loose *out)
{
	for (unsigned first = 0; first < 256; first++) {
		list_fanout(dir, first, out);
	}
}

static err_t
add_changed(void *ctx, const struct tree_change *c)
{
	git_oid id;
	memcpy(id.id, c->id, sizeof id.id);
	git_ids_add(ctx, &id);
	return OK;
}

static err_t
list_head(git_repository *repo, const git_oid *head, struct git_ids *out, struct diag *diag)
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

/* Removes large files that the head does not have any more. */
static err_t
drop_old(int dir, git_repository *repo, const git_oid *head, const struct git_ids *large, struct diag *diag)
{
	[[gnu::cleanup(git_free_odb)]] git_odb *odb = NULL;
	[[gnu::cleanup(git_ids_fini)]] struct git_ids now = { 0 };
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
			remove_one(dir, id);
		}
	}
	return OK;
}

/* ---- packs ---- */

static err_t
pack_loose(int dir, const struct git_how *how, git_repository *repo, const struct git_ids *small, struct diag *diag)
{
	if (small->n <= LOOSE_MAX) {
		return OK;
	}
	TRY(git_pack_objects(repo, how, small, diag));
	remove_loose(dir, small);
	return OK;
}

/* Removes references of other remotes or branches, for which the cache directory was used before.  Their objects go
 * when the clone is made anew. */
static void
forget_others(const struct git_home *h, git_repository *repo)
{
	git_strarray names = { 0 };
	if (git_reference_list(&names, repo) != 0) {
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		if (strcmp(names.strings[i], h->ref) != 0 && strcmp(names.strings[i], h->left) != 0) {
			git_reference_remove(repo, names.strings[i]);
		}
	}
	git_strarray_dispose(&names);
}

/* Closes *c before, since that has the packs open. */
static err_t
join_packs(const struct git_home *h, int dir, struct git_clone *c, struct diag *diag)
{
	[[gnu::cleanup(git_packs_fini)]] struct git_packs packs = { .dir = -1 };
	[[gnu::cleanup(str_fini)]] struct str where = { 0 };
	git_packs_list(dir, &packs);
	size_t n = git_packs_tail(&packs);
	str_printf(&where, "%s/", h->clone);
	if (n < 2 || where.err != OK) {
		return where.err;
	}
	forget_others(h, c->repo);
	git_clone_close(c);
	return git_packs_join(&packs, n, &(struct git_placing){ .dir = dir, .where = str_text(&where) }, diag);
}

static int
open_clone(const struct git_home *h)
{
	return open(h->clone, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

err_t
git_clone_tidy(const struct git_home *h, const struct git_how *how, struct git_clone *c, const git_oid *head,
               struct diag *diag)
{
	[[gnu::cleanup(loose_fini)]] struct loose loose = { 0 };
	[[gnu::cleanup(file_close)]] int dir = open_clone(h);
	list_loose(dir, &loose);
	TRY(drop_old(dir, c->repo, head, &loose.large, diag));
	TRY(pack_loose(dir, how, c->repo, &loose.small, diag));
	return git_packs_count(dir) > PACKS_MAX ? join_packs(h, dir, c, diag) : OK;
}

bool
git_clone_is_grown(const struct git_home *h)
{
	[[gnu::cleanup(file_close)]] int dir = open_clone(h);
	return git_packs_count(dir) > GROWN_PACKS || git_packs_octets(dir) > GROWN_OCTETS;
}
