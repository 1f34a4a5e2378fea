#include "git/walk.h"

#include <string.h>

struct walk {
	git_repository *repo;
	err_t (*changed)(void *ctx, const struct tree_change *c);
	void *ctx;
	struct diag *diag;
	size_t entries, entries_max;
	char path[TREE_PATH_MAX];
};

enum tree_kind
git_kind_of(git_filemode_t mode)
{
	switch (mode) {
	case GIT_FILEMODE_TREE:
		return TREE_DIR;
	case GIT_FILEMODE_LINK:
		return TREE_SYMLINK;
	case GIT_FILEMODE_COMMIT:
		return TREE_SUBMODULE;
	default:
		return TREE_FILE;
	}
}

bool
git_name_is_sound(const char *name)
{
	return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strchr(name, '/') == NULL;
}

static err_t walk_trees(struct walk *w, git_tree *old, git_tree *new, size_t path_len, unsigned depth);

static err_t
walk_limit(struct walk *w, const char *why)
{
	diag_set(w->diag, DIAG_ERROR, "git", "the tree is beyond our limits: %s", why);
	diag_hint(w->diag, "keep zones in a repository of their own, with one file for each zone in its root directory");
	return E_LIMIT;
}

static err_t
walk_dir(struct walk *w, const git_tree_entry *old, const git_tree_entry *new, size_t path_len, unsigned depth)
{
	[[gnu::cleanup(git_free_tree)]] git_tree *a = NULL;
	[[gnu::cleanup(git_free_tree)]] git_tree *b = NULL;
	int ret = old != NULL ? git_tree_lookup(&a, w->repo, git_tree_entry_id(old)) : 0;
	if (ret == 0 && new != NULL) {
		ret = git_tree_lookup(&b, w->repo, git_tree_entry_id(new));
	}
	if (ret < 0) {
		return git_trouble(w->diag, ret, "cannot read the directory %.200s", w->path);
	}
	if (depth + 1 >= TREE_DEPTH_MAX) {
		return walk_limit(w, "directories too deep");
	}
	w->path[path_len] = '/';
	w->path[path_len + 1] = '\0';
	return walk_trees(w, a, b, path_len + 1, depth + 1);
}

/* Compares one name, which is in the old tree, in the new one, or in both (then both are directories, or neither is). */
static err_t
walk_entry(struct walk *w, const git_tree_entry *old, const git_tree_entry *new, size_t prefix_len, unsigned depth)
{
	const git_tree_entry *e = new != NULL ? new : old;
	if (old != NULL && new != NULL && git_oid_equal(git_tree_entry_id(old), git_tree_entry_id(new)) &&
	    git_kind_of(git_tree_entry_filemode(old)) == git_kind_of(git_tree_entry_filemode(new))) {
		return OK;
	}
	const char *name = git_tree_entry_name(e);
	size_t len = strlen(name);
	if (++w->entries > w->entries_max) {
		return walk_limit(w, "too many files");
	}
	/* With room for a "/" and the NUL.  A file without a sound path is left out: no zone could have its name. */
	if (!git_name_is_sound(name) || prefix_len + len + 2 > sizeof w->path) {
		return OK;
	}
	memcpy(w->path + prefix_len, name, len + 1);
	enum tree_kind kind = git_kind_of(git_tree_entry_filemode(e));
	if (kind == TREE_DIR) {
		return walk_dir(w, old, new, prefix_len + len, depth);
	}
	struct tree_change c = {
		.what = new == NULL ? TREE_REMOVED : old == NULL ? TREE_ADDED : TREE_CHANGED,
		.kind = kind,
		.path = w->path,
		.path_len = prefix_len + len,
		.is_below_root = depth > 0,
	};
	memcpy(c.id, git_tree_entry_id(e)->id, sizeof c.id);
	return w->changed(w->ctx, &c);
}

/* git's order: by octets, as if the name of a directory ended in "/".  So a file and a directory of the same name do
 * not count as equal. */
static int
entry_order(const git_tree_entry *a, const git_tree_entry *b)
{
	const char *an = git_tree_entry_name(a), *bn = git_tree_entry_name(b);
	size_t al = strlen(an), bl = strlen(bn), min = al < bl ? al : bl;
	int d = memcmp(an, bn, min);
	if (d != 0) {
		return d;
	}
	int ac = al > min ? (unsigned char)an[min] : git_tree_entry_type(a) == GIT_OBJECT_TREE ? '/' : 0;
	int bc = bl > min ? (unsigned char)bn[min] : git_tree_entry_type(b) == GIT_OBJECT_TREE ? '/' : 0;
	return ac - bc;
}

/* A fetch does not check the order of trees.  In a tree that git would not make, a file could be there twice, or a
 * removal could stay unnoticed. */
static err_t
check_order(struct walk *w, const git_tree *tree, size_t n, size_t path_len)
{
	for (size_t i = 1; i < n; i++) {
		if (entry_order(git_tree_entry_byindex(tree, i - 1), git_tree_entry_byindex(tree, i)) >= 0) {
			diag_set(w->diag, DIAG_ERROR, "git", "the directory /%.*s is malformed: %.100s is there twice, or not in its place",
			         (int)path_len, w->path, git_tree_entry_name(git_tree_entry_byindex(tree, i)));
			diag_hint(w->diag, "git itself never makes such a tree; `git fsck` shows it: commit the files anew");
			return E_REFUSED;
		}
	}
	return OK;
}

static err_t
walk_trees(struct walk *w, git_tree *old, git_tree *new, size_t path_len, unsigned depth)
{
	size_t old_n = old != NULL ? git_tree_entrycount(old) : 0;
	size_t new_n = new != NULL ? git_tree_entrycount(new) : 0;
	size_t i = 0, j = 0;
	TRY(check_order(w, old, old_n, path_len));
	TRY(check_order(w, new, new_n, path_len));
	while (i < old_n || j < new_n) {
		const git_tree_entry *a = i < old_n ? git_tree_entry_byindex(old, i) : NULL;
		const git_tree_entry *b = j < new_n ? git_tree_entry_byindex(new, j) : NULL;
		int d = a == NULL ? 1 : b == NULL ? -1 : entry_order(a, b);
		TRY(walk_entry(w, d <= 0 ? a : NULL, d >= 0 ? b : NULL, path_len, depth));
		i += d <= 0;
		j += d >= 0;
	}
	return OK;
}

err_t
git_walk(git_repository *repo, git_tree *old, git_tree *new, size_t entries_max,
         err_t (*changed)(void *ctx, const struct tree_change *c), void *ctx, struct diag *diag)
{
	struct walk w = {
		.repo = repo, .changed = changed, .ctx = ctx, .diag = diag, .entries_max = entries_max,
	};
	if (old != NULL && new != NULL && git_oid_equal(git_tree_id(old), git_tree_id(new))) {
		return OK;
	}
	return walk_trees(&w, old, new, 0, 0);
}

err_t
git_read_blob(git_repository *repo, const git_oid *id, const char *path, size_t max, git_odb_object **out,
              struct diag *diag)
{
	[[gnu::cleanup(git_free_odb)]] git_odb *odb = NULL;
	size_t len = 0;
	git_object_t type = GIT_OBJECT_INVALID;
	int ret = git_repository_odb(&odb, repo);
	/* The size is checked before the object is inflated: somebody else has chosen it. */
	ret = ret == 0 ? git_odb_read_header(&len, &type, odb, id) : ret;
	if (ret == 0 && len > max) {
		diag_set(diag, DIAG_ERROR, "git", "%.200s has %zu octets, the limit is %zu", path, len, max);
		return E_LIMIT;
	}
	if (ret == 0 && type != GIT_OBJECT_BLOB) {
		diag_set(diag, DIAG_ERROR, "git", "%.200s is not a file, though its directory says so", path);
		diag_hint(diag, "git itself never makes such a tree; `git fsck` shows it: commit the files anew");
		return E_REFUSED;
	}
	git_odb_object *object = NULL;
	ret = ret == 0 ? git_odb_read(&object, odb, id) : ret;
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot read %.200s", path);
	}
	*out = object;
	return OK;
}

static const char *
kind_text(enum tree_kind kind)
{
	static const char *const texts[] = { "a file", "a directory", "a symbolic link", "a submodule" };
	return texts[kind];
}

err_t
git_read_path(git_repository *repo, struct git_dirs *dirs, const git_oid *root, const char *path, size_t max,
              git_odb_object **out, struct diag *diag)
{
	git_oid id;
	git_filemode_t mode = GIT_FILEMODE_UNREADABLE;
	int ret = root != NULL ? git_dirs_find(dirs, repo, root, path, &id, &mode) : GIT_ENOTFOUND;
	if (ret == GIT_ENOTFOUND) {
		diag_set(diag, DIAG_ERROR, "git", "there is no file %.200s", path);
		return E_NOTFOUND;
	}
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot find %.200s", path);
	}
	enum tree_kind kind = git_kind_of(mode);
	if (kind != TREE_FILE) {
		diag_set(diag, DIAG_ERROR, "git", "%.200s is %s, not a file", path, kind_text(kind));
		return E_REFUSED;
	}
	return git_read_blob(repo, &id, path, max, out, diag);
}
