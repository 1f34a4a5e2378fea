/* git/verdict.h -- private to src/git: what a remote's words about a push mean.
 *
 * Pure.  In git's protocol a server says as text for people why it refuses a push, and each server has texts of its own.  A text that is
 * not known here counts as a plain refusal (E_REFUSED), since the server has said no.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/* `status`: what is reported of the branch ("pre-receive hook declined"); `words`: what else the remote said to people.  E_STALE: the
 * branch was moved, or is just being moved, by somebody else; E_IO: trouble with the remote's disk, it may pass; E_REFUSED. */
err_t git_verdict(const char *status, const char *words);

/* Do the words say that something may not be written? */
bool git_words_deny(const char *words);

/* What `git push --porcelain` printed about `ref`: appends its status ("" when it was accepted) to `status`.  E_NOTFOUND: it printed
 * nothing about `ref`; E_UNKNOWN: the connection was lost before the remote reported. */
err_t git_porcelain(const char *printed, const char *ref, struct str *status);

/* Appends the words of a remote to `out`, as one line of at most `max` octets.  Left out are "remote: " at the beginning of a line, blanks
 * at its end, and control characters; also git's own lines "To ..." and "failed to push", if there are others. */
void git_words_line(const char *words, size_t max, struct str *out);
