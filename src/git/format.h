/* git/format.h -- private to src/git: repositories of a format that libgit2 cannot read, and why.
 *
 * A repository's configuration names its format: core.repositoryFormatVersion and extensions.*
 * (gitrepository-layout(5), git-config(1)).  A program that does not know one of them may not touch the repository.
 * libgit2 obeys that, but says only the setting's name.
 */
#pragma once

#include <stdbool.h>

#include "base/diag.h"

/* Called after libgit2 has failed to open the repository at `path`.  If the format was the reason, `diag` says which
 * setting it is, what that means, and what to do.  `shown`: the repository's name for people.  False: the reason is
 * another; `diag` stays as it is. */
bool git_format_explain(const char *path, const char *shown, struct diag *diag);

/* The same for a remote to which libgit2 cannot connect, but only for SHA-256 object names.  `words` is libgit2's message.
 * Of an empty repository a server before git 2.41 says nothing at all in the protocol that libgit2 speaks (version 0): it
 * looks like any other that is empty, until the first push. */
bool git_format_explain_remote(const char *words, const char *shown, struct diag *diag);
