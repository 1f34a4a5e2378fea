#include "git/dirs.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "git/tree.h"

/* As many entries as a commit may have files; an entry takes about a hundred octets. */
enum { ENTRIES_MAX = 1 << 20 };

void
git_dirs_fini(struct git_dirs *d)
{
	for (size_t i = 0; i < d->n; i++) {
		git_free_tree(&d->list[i]);
	}
	free(d->list);
	id_map_fini(&d->map);
	*d = (struct git_dirs){ 0 };
}

/* Takes `tree`.  When there is no room for it, all other directories are forgotten. */
static void
keep(struct git_dirs *d, const git_oid *id, git_tree *tree)
{
	size_t entries = git_tree_entrycount(tree) + 1;
	if (d->entries + entries > ENTRIES_MAX) {
		git_dirs_fini(d);
	}
	if (d->n == d->cap) {
		d->cap = d->cap != 0 ? 2 * d->cap : 8;
		d->list = xrealloc(d->list, d->cap * sizeof(git_tree *));
	}
	id_map_put(&d->map, id->id, d->n);
	d->list[d->n++] = tree;
	d->entries += entries;
}

/* *out is good until the next call. */
static int
open_dir(struct git_dirs *d, git_repository *repo, const git_oid *id, const git_tree **out)
{
	size_t at;
	git_tree *tree = NULL;
	if (id_map_has(&d->map, id->id, &at)) {
		*out = d->list[at];
		return 0;
	}
	int ret = git_tree_lookup(&tree, repo, id);
	if (ret == 0) {
		keep(d, id, tree);
		*out = tree;
	}
	return ret;
}

int
git_dirs_find(struct git_dirs *d, git_repository *repo, const git_oid *root, const char *path, git_oid *id, git_filemode_t *mode)
{
	git_oid at = *root;
	char part[TREE_PATH_MAX];
	for (;;) {
		const git_tree *dir;
		const char *slash = strchr(path, '/');
		size_t len = slash != NULL ? (size_t)(slash - path) : strlen(path);
		if (len == 0 || len >= sizeof part) {
			return GIT_ENOTFOUND;
		}
		int ret = open_dir(d, repo, &at, &dir);
		if (ret != 0) {
			return ret;
		}
		memcpy(part, path, len);
		part[len] = '\0';
		const git_tree_entry *e = git_tree_entry_byname(dir, part);
		if (e == NULL || (slash != NULL && git_tree_entry_type(e) != GIT_OBJECT_TREE)) {
			return GIT_ENOTFOUND;
		}
		at = *git_tree_entry_id(e);
		*mode = git_tree_entry_filemode(e);
		if (slash == NULL) {
			*id = at;
			return 0;
		}
		path = slash + 1;
	}
}
