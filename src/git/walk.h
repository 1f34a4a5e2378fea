/* git/walk.h -- private to src/git: finds the files that differ between two trees, and reads files. */
#pragma once

#include "git/dirs.h"
#include "git/lib.h"
#include "git/tree.h"

enum tree_kind git_kind_of(git_filemode_t mode);

/* As tree_diff(); either tree may be NULL (empty).  E_LIMIT: more than `entries_max` entries differ. */
err_t git_walk(git_repository *repo, git_tree *old, git_tree *new, size_t entries_max,
               err_t (*changed)(void *ctx, const struct tree_change *c), void *ctx, struct diag *diag);

/* True when this can be one part of a path: it is not "", "." or "..", and has no "/".  Anybody may have made the tree. */
bool git_name_is_sound(const char *name);

/* Reads a blob by its id, or by its path from the directory `root` (NULL: an empty one).  `path` also names it in
 * messages.  Errors as of tree_read(). */
err_t git_read_blob(git_repository *repo, const git_oid *id, const char *path, size_t max, git_odb_object **out,
                    struct diag *diag);
err_t git_read_path(git_repository *repo, struct git_dirs *dirs, const git_oid *root, const char *path, size_t max,
                    git_odb_object **out, struct diag *diag);
