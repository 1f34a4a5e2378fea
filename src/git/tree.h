/* git/tree.h -- revisions of a local repository as trees of files: what `ozone --repo` and hooks read.
 *
 * A tree is opened from a revision and does not change.  Returned pointers are borrowed, and are good until the tree
 * (or blob) is closed.  Nothing is written to the repository.
 *
 * The environment of hooks is respected: GIT_DIR (when no directory is given), GIT_INDEX_FILE, and
 * GIT_OBJECT_DIRECTORY with GIT_ALTERNATE_OBJECT_DIRECTORIES, where a pre-receive hook finds the
 * objects that were pushed but not accepted yet (git-receive-pack(1), "Quarantine Environment").
 *
 * One thread.  A failure fills `diag` (code "git"): what, where, and in the hint what to do about it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"

enum { TREE_ID_TEXT = 41, TREE_ENTRIES_MAX = 1000000, TREE_PATH_MAX = 1024, TREE_DEPTH_MAX = 64 };

struct tree_repo;
struct tree;

enum tree_kind { TREE_FILE, TREE_DIR, TREE_SYMLINK, TREE_SUBMODULE };

/* One entry of the root directory. */
struct tree_entry {
	const char *name;
	enum tree_kind kind;
	uint8_t id[20]; /* of the content: equal ids mean equal contents */
};

/* `dir` is a work tree (or any directory in it) or a bare repository; NULL: $GIT_DIR, or else ".".  E_NOTFOUND: there
 * is no repository.  E_UNSUPPORTED: it has a format that libgit2 cannot read (git/format.h). */
err_t tree_repo_open(const char *dir, struct tree_repo **out, struct diag *diag);
void tree_repo_close(struct tree_repo **repo); /* NULL-safe, a cleanup handler; after all its trees */

/* `rev` is any revision that names a commit, a tag of one, or a tree ("HEAD", "main~2", "4b825dc"); ":" is the
 * index (what is about to be committed); NULL, "" and the all-zero id (which hooks get for a branch
 * that is new or deleted) are the empty tree.  E_NOTFOUND: there is no such revision. */
err_t tree_open(struct tree_repo *repo, const char *rev, struct tree **out, struct diag *diag);
void tree_close(struct tree **tree); /* NULL-safe, a cleanup handler */

const char *tree_id(const struct tree *tree); /* commit in hex; "" for the index, a bare tree, the empty tree */

/* The root directory, in git's order (octets of the name; a directory sorts as if "/" ended it). */
size_t tree_entry_n(const struct tree *tree);
const struct tree_entry *tree_entry_at(const struct tree *tree, size_t i); /* i < tree_entry_n() */

/* True when the trailer "Origin-Allow: mass-delete" is in a commit that belongs to the history of `new` and not to that
 * of `old`.  False when `new` is not a commit (but the index, say). */
bool tree_allows_mass_delete(const struct tree *old, const struct tree *new);

struct tree_blob {
	const char *text; /* borrowed from the handle; not NUL-terminated */
	size_t len;
	void *handle;
};

/* A file by its path from the root ("sub/x.inc").  E_NOTFOUND; E_REFUSED: a symlink, submodule or directory;
 * E_LIMIT: over `max` octets. */
err_t tree_read(const struct tree *tree, const char *path, size_t max, struct tree_blob *out, struct diag *diag);
void tree_blob_free(struct tree_blob *blob); /* NULL text is fine */

enum tree_change_kind { TREE_ADDED, TREE_CHANGED, TREE_REMOVED };

struct tree_change {
	enum tree_change_kind what;
	enum tree_kind kind; /* of the new file; of the old one when removed; never TREE_DIR */
	const char *path;    /* from the root */
	size_t path_len;
	bool is_below_root;
	uint8_t id[20];      /* of the new content; of the old one when removed */
};

/* Calls `changed` for each file that differs, at any depth.  Equal subtrees are not read, so the cost depends on the
 * change only.  A file that became a directory counts as removed, and the files in the directory as added.  Stops at
 * the first error of `changed`.  E_LIMIT: over TREE_ENTRIES_MAX entries, or over TREE_DEPTH_MAX deep. */
err_t tree_diff(const struct tree *old, const struct tree *new, err_t (*changed)(void *ctx, const struct tree_change *c),
                void *ctx, struct diag *diag);
