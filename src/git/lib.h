/* git/lib.h -- private to src/git: libgit2 behind cleanup handlers, and its errors as text.
 *
 * libgit2 keeps its last error per thread and overwrites it freely: git_trouble() copies it at the call
 * that failed.  git_lib_begin() also sets what we want of the library as a whole; those settings are
 * the library's, one set a process.
 */
#pragma once

#include <git2.h>

#include "base/diag.h"
#include "base/err.h"

/* Counted, as git_libgit2_init().  Nothing is read from the system's or the user's git configuration (it could
 * name proxies, rewrite URLs, or ask for things we do not want), and owners of repositories are not
 * compared with ours: opening one runs nothing. */
err_t git_lib_begin(struct diag *diag);
void git_lib_end(void);

/* libgit2's last error as one line, "no details" when it has none. */
const char *git_lib_text(void);

/* Fills `diag` (code "git", text: the format's, then ": " and libgit2's own words; a hint when this machine is short of
 * something, git/shortage.h) and returns
 * the err_t that fits the return value of libgit2. */
[[gnu::format(printf, 3, 4)]] err_t git_trouble(struct diag *diag, int ret, const char *format, ...);

/* A remote of which nothing is written down, and that is not renamed by the configuration (libgit2's search for such a rule
 * leaks memory). */
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
