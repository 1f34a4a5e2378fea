#include "git/tree.h"

#include <stdlib.h>
#include <string.h>

#include <git2/sys/mempack.h>
#include <git2/sys/repository.h>

#include "base/alloc.h"
#include "base/str.h"
#include "git/format.h"
#include "git/lib.h"
#include "git/trailer.h"
#include "git/walk.h"

struct tree_repo {
	git_repository *git;
	char *where; /* for messages */
};

struct tree {
	struct tree_repo *repo; /* borrowed */
	git_tree *root;         /* NULL: the empty tree */
	struct git_dirs *dirs;  /* the directories that were read; owned */
	struct tree_entry *entries;
	size_t n;
	char id[TREE_ID_TEXT];
};

/* One element of GIT_ALTERNATE_OBJECT_DIRECTORIES at `*at`, which moves past it: up to ':', or a quoted string with
 * backslash escapes (git(1)).  False at the end. */
static bool
next_alternate(const char **at, struct str *out)
{
	const char *p = *at;
	str_clear(out);
	if (*p == '\0') {
		return false;
	}
	bool quoted = *p == '"';
	p += quoted;
	while (*p != '\0' && *p != (quoted ? '"' : ':')) {
		p += quoted && *p == '\\' && p[1] != '\0';
		str_char(out, *p++);
	}
	p += quoted && *p == '"';
	p += *p == ':';
	*at = p;
	return true;
}

static err_t
add_objects(git_odb *odb, const char *dir, struct diag *diag)
{
	int ret = dir[0] != '\0' ? git_odb_add_disk_alternate(odb, dir) : 0;
	return ret < 0 ? git_trouble(diag, ret, "cannot read the objects in %.200s", dir) : OK;
}

/* The quarantine of a push is a directory of objects beside the repository's own.  For reading, their order does not
 * matter. */
static err_t
use_env_objects(git_repository *git, struct diag *diag)
{
	[[gnu::cleanup(git_free_odb)]] git_odb *odb = NULL;
	const char *objects = getenv("GIT_OBJECT_DIRECTORY");
	const char *alternates = getenv("GIT_ALTERNATE_OBJECT_DIRECTORIES");
	if (objects == NULL && alternates == NULL) {
		return OK;
	}
	int ret = git_repository_odb(&odb, git);
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot open the repository's objects");
	}
	TRY(add_objects(odb, objects != NULL ? objects : "", diag));
	[[gnu::cleanup(str_fini)]] struct str dir = { 0 };
	while (alternates != NULL && next_alternate(&alternates, &dir)) {
		TRY(add_objects(odb, str_text(&dir), diag));
	}
	return OK;
}

static err_t
use_env_index(git_repository *git, struct diag *diag)
{
	[[gnu::cleanup(git_free_index)]] git_index *index = NULL;
	const char *file = getenv("GIT_INDEX_FILE");
	if (file == NULL || file[0] == '\0') {
		return OK;
	}
	int ret = git_index_open(&index, file);
	if (ret == 0) {
		ret = git_repository_set_index(git, index);
	}
	return ret < 0 ? git_trouble(diag, ret, "cannot read the index %.200s", file) : OK;
}

err_t
tree_repo_open(const char *dir, struct tree_repo **out, struct diag *diag)
{
	const char *env = getenv("GIT_DIR");
	bool is_env = dir == NULL && env != NULL && env[0] != '\0';
	dir = dir != NULL ? dir : is_env ? env : ".";
	TRY(git_lib_begin(diag));
	git_repository *git = NULL;
	err_t err = OK;
	int ret = git_repository_open_ext(&git, dir, is_env ? GIT_REPOSITORY_OPEN_NO_SEARCH : 0, NULL);
	if (ret < 0 && git_format_explain(dir, dir, diag)) {
		err = E_UNSUPPORTED;
		goto out;
	}
	if (ret < 0) {
		err = git_trouble(diag, ret, "%.200s is not a git repository", dir);
		diag_hint(diag, "name a work tree or a bare repository with --repo");
		goto out;
	}
	err = use_env_objects(git, diag);
	if (err == OK) {
		err = use_env_index(git, diag);
	}
out:
	if (err != OK) {
		git_repository_free(git);
		git_lib_end();
		return err;
	}
	*out = xalloc(sizeof **out);
	(*out)->git = git;
	(*out)->where = xstrdup(dir);
	return OK;
}

void
tree_repo_close(struct tree_repo **repo)
{
	if (*repo != NULL) {
		git_repository_free((*repo)->git);
		free((*repo)->where);
		free(*repo);
		*repo = NULL;
		git_lib_end();
	}
}

/* Gives the index as a tree.  The new tree objects are only in memory, so that a check leaves nothing behind in the
 * repository. */
static err_t
open_index(struct tree_repo *repo, git_tree **out, struct diag *diag)
{
	[[gnu::cleanup(git_free_index)]] git_index *index = NULL;
	[[gnu::cleanup(git_free_odb)]] git_odb *odb = NULL;
	git_odb_backend *memory = NULL;
	git_oid id;
	int ret = git_repository_index(&index, repo->git);
	if (ret == 0 && git_index_has_conflicts(index)) {
		diag_set(diag, DIAG_ERROR, "git", "the index has conflicts");
		diag_hint(diag, "resolve them and `git add` the files, then commit");
		return E_FORMAT;
	}
	ret = ret == 0 ? git_repository_odb(&odb, repo->git) : ret;
	ret = ret == 0 ? git_mempack_new(&memory) : ret;
	ret = ret == 0 ? git_odb_add_backend(odb, memory, 1000) : ret; /* `odb` owns `memory` from here on */
	ret = ret == 0 ? git_index_write_tree(&id, index) : ret;
	ret = ret == 0 ? git_tree_lookup(out, repo->git, &id) : ret;
	return ret < 0 ? git_trouble(diag, ret, "cannot read the index of %.200s", repo->where) : OK;
}

static bool
is_zero_id(const char *rev)
{
	size_t n = strspn(rev, "0");
	return rev[n] == '\0' && (n == 0 || n == 40 || n == 64);
}

static err_t
open_revision(struct tree_repo *repo, const char *rev, struct tree *t, struct diag *diag)
{
	[[gnu::cleanup(git_free_any)]] git_object *object = NULL;
	[[gnu::cleanup(git_free_any)]] git_object *commit = NULL;
	git_object *tree = NULL;
	int ret = git_revparse_single(&object, repo->git, rev);
	if (ret == 0) {
		ret = git_object_peel(&tree, object, GIT_OBJECT_TREE);
	}
	if (ret < 0) {
		err_t err = git_trouble(diag, ret, "no revision %.100s in %.200s", rev, repo->where);
		diag_hint(diag, "name a branch, a tag or a commit; `git log --oneline --all` lists them");
		return err == E_IO ? E_NOTFOUND : err;
	}
	t->root = (git_tree *)tree;
	if (git_object_peel(&commit, object, GIT_OBJECT_COMMIT) == 0) {
		git_oid_tostr(t->id, sizeof t->id, git_object_id(commit));
	}
	return OK;
}

/* Lists the root directory.  An entry whose name cannot be in a path is left out: git itself makes no such trees. */
static err_t
list_root(struct tree *t, struct diag *diag)
{
	size_t n = t->root != NULL ? git_tree_entrycount(t->root) : 0;
	if (n > TREE_ENTRIES_MAX) {
		diag_set(diag, DIAG_ERROR, "git", "over %d files in one directory", TREE_ENTRIES_MAX);
		return E_LIMIT;
	}
	t->entries = xalloc((n + 1) * sizeof *t->entries);
	for (size_t i = 0; i < n; i++) {
		const git_tree_entry *e = git_tree_entry_byindex(t->root, i);
		if (!git_name_is_sound(git_tree_entry_name(e))) {
			continue;
		}
		struct tree_entry *to = &t->entries[t->n++];
		to->name = git_tree_entry_name(e);
		to->kind = git_kind_of(git_tree_entry_filemode(e));
		memcpy(to->id, git_tree_entry_id(e)->id, sizeof to->id);
	}
	return OK;
}

err_t
tree_open(struct tree_repo *repo, const char *rev, struct tree **out, struct diag *diag)
{
	[[gnu::cleanup(tree_close)]] struct tree *t = xalloc(sizeof *t);
	t->repo = repo;
	t->dirs = xalloc(sizeof *t->dirs);
	if (rev != NULL && strcmp(rev, ":") == 0) {
		TRY(open_index(repo, &t->root, diag));
	} else if (rev != NULL && !is_zero_id(rev)) {
		TRY(open_revision(repo, rev, t, diag));
	}
	TRY(list_root(t, diag));
	*out = t;
	t = NULL;
	return OK;
}

void
tree_close(struct tree **tree)
{
	if (*tree != NULL) {
		git_dirs_fini((*tree)->dirs);
		free((*tree)->dirs);
		git_tree_free((*tree)->root);
		free((*tree)->entries);
		free(*tree);
		*tree = NULL;
	}
}

const char *
tree_id(const struct tree *tree)
{
	return tree->id;
}

size_t
tree_entry_n(const struct tree *tree)
{
	return tree->n;
}

const struct tree_entry *
tree_entry_at(const struct tree *tree, size_t i)
{
	ASSERT(i < tree->n);
	return &tree->entries[i];
}

err_t
tree_read(const struct tree *tree, const char *path, size_t max, struct tree_blob *out, struct diag *diag)
{
	git_odb_object *object = NULL;
	const git_oid *root = tree->root != NULL ? git_tree_id(tree->root) : NULL;
	TRY(git_read_path(tree->repo->git, tree->dirs, root, path, max, &object, diag));
	*out = (struct tree_blob){
		.text = git_odb_object_data(object),
		.len = git_odb_object_size(object),
		.handle = object,
	};
	return OK;
}

void
tree_blob_free(struct tree_blob *blob)
{
	git_odb_object_free(blob->handle);
	*blob = (struct tree_blob){ 0 };
}

err_t
tree_diff(const struct tree *old, const struct tree *new, err_t (*changed)(void *ctx, const struct tree_change *c),
          void *ctx, struct diag *diag)
{
	return git_walk(new->repo->git, old->root, new->root, TREE_ENTRIES_MAX, changed, ctx, diag);
}

bool
tree_allows_mass_delete(const struct tree *old, const struct tree *new)
{
	git_oid base, commit;
	bool has_base = git_oid_fromstr(&base, old->id) == 0;
	return git_oid_fromstr(&commit, new->id) == 0 &&
	       git_history_read(new->repo->git, has_base ? &base : NULL, &commit).allows != GIT_ALLOWS_NOTHING;
}
