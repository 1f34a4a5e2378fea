/* git/lib.h -- private to src/git: cleanup handlers for libgit2's types, its settings, and its errors as text.
 *
 * libgit2 keeps its last error per thread, and its next call may overwrite that.  So git_trouble() must follow the call
 * that failed.
 */
#pragma once

#include <git2.h>

#include "base/diag.h"
#include "base/err.h"

/* Initialises libgit2, and sets its options for the whole process.  Calls are counted, as with git_libgit2_init().
 * libgit2 does not read the git configuration of the system or of the user, which could name proxies or rewrite URLs.
 * It does not ask who owns a repository either: to open one runs no program. */
err_t git_lib_begin(struct diag *diag);
void git_lib_end(void);

/* libgit2's last error as one line, "no details" when it has none. */
const char *git_lib_text(void);

/* Fills `diag`: code "git"; text: the format's, then ": " and libgit2's last error; a hint when this machine is short
 * of something (git/shortage.h).  Returns the err_t that fits `ret`, libgit2's return value. */
[[gnu::format(printf, 3, 4)]] err_t git_trouble(struct diag *diag, int ret, const char *format, ...);

/* Makes a remote in memory only.  The configuration cannot rewrite its URL (url.*.insteadOf): libgit2's search for such
 * a setting leaks memory. */
int git_lib_remote(git_remote **out, git_repository *repo, const char *url);

void git_free_repo(git_repository **p);
void git_free_odb(git_odb **p);
void git_free_object(git_odb_object **p);
void git_free_any(git_object **p);
void git_free_tree(git_tree **p);
void git_free_commit(git_commit **p);
void git_free_ref(git_reference **p);
void git_free_walk(git_revwalk **p);
void git_free_remote(git_remote **p);
void git_free_index(git_index **p);
