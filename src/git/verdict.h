/* git/verdict.h -- private to src/git: what a remote's words about a push mean.
 *
 * Pure.  git's protocol gives a refusal as text for people, and each server has texts of its own; what is not known counts
 * as a refusal, since the remote itself said no.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/* `status`: what is reported of the branch ("pre-receive hook declined"); `words`: what else the remote said to people.  E_STALE: the
 * branch was moved, or is just being moved, by somebody else; E_IO: trouble with the remote's disk, it may pass; E_REFUSED. */
err_t git_verdict(const char *status, const char *words);

/* Do they say that something may not be written? */
bool git_words_deny(const char *words);

/* What `git push --porcelain` printed about `ref`: appends its status ("" when it was accepted) to `status`.  E_NOTFOUND: not a word;
 * E_UNKNOWN: the remote was lost before it reported. */
err_t git_porcelain(const char *printed, const char *ref, struct str *status);

/* Appends words of a remote as one line: "remote: " at the beginning of lines goes, and so does what a terminal could obey;
 * blanks at the end of lines go, and git's own "To ..." and "failed to push" where there are other words;
 * what is in `words` twice stands there twice.  At most `max` octets. */
void git_words_line(const char *words, size_t max, struct str *out);
