/* git/walk.h -- private to src/git: what differs between two trees, equal subtrees skipped. */
#pragma once

#include "git/dirs.h"
#include "git/lib.h"
#include "git/tree.h"

enum tree_kind git_kind_of(git_filemode_t mode);

/* As tree_diff(); either tree may be NULL (empty).  `entries_max`: named in the message when passed. */
err_t git_walk(git_repository *repo, git_tree *old, git_tree *new, size_t entries_max,
               err_t (*changed)(void *ctx, const struct tree_change *c), void *ctx, struct diag *diag);

/* Can this be one part of a path?  Trees are made by anybody: "", ".", "..", and what has a "/" cannot. */
bool git_name_is_sound(const char *name);

/* A blob by its id or by its path from the directory `root` (NULL: empty); errors as of tree_read().  `path` also
 * names it in messages. */
err_t git_read_blob(git_repository *repo, const git_oid *id, const char *path, size_t max, git_odb_object **out,
                    struct diag *diag);
err_t git_read_path(git_repository *repo, struct git_dirs *dirs, const git_oid *root, const char *path, size_t max,
                    git_odb_object **out, struct diag *diag);
