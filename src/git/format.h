/* git/format.h -- private to src/git: repositories of a format that libgit2 cannot read, and why.
 *
 * A repository's configuration names what git needs to know before it may touch anything there: core.repositoryFormatVersion and
 * extensions.* (gitrepository-layout(5), git-config(1)).  libgit2 refuses what it does not know, but says only the setting's name.
 */
#pragma once

#include <stdbool.h>

#include "base/diag.h"

/* After libgit2 has failed to open the repository at `path`: if it failed because of the format, `diag` says which setting it is, what
 * that means, and what to do.  `shown`: the repository, for people.  False: it was something else, and `diag` is left alone. */
bool git_format_explain(const char *path, const char *shown, struct diag *diag);

/* The same for a remote to which libgit2 cannot connect, by libgit2's words: one that has SHA-256. */
bool git_format_explain_remote(const char *words, const char *shown, struct diag *diag);
