/* git/verdict.h -- private to src/git: makes an err_t of a remote's messages about a push.
 *
 * Pure.  In git's protocol the reason why a server refuses a push is a text for people, and each server has its own
 * texts.  A text that is not known here counts as a plain refusal (E_REFUSED).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/* `status`: the remote's report on the branch ("pre-receive hook declined"); `words`: its other messages for people.
 * E_STALE: somebody else has moved the branch, or is just moving it.  E_IO: trouble with the remote's disk, which may
 * pass.  E_REFUSED. */
err_t git_verdict(const char *status, const char *words);

/* True when the words say that something may not be written. */
bool git_words_deny(const char *words);

/* Reads the output of `git push --porcelain`.  Appends what it says about `ref` to `status`; nothing, if the push was
 * accepted.  E_NOTFOUND: the output does not name `ref`.  E_UNKNOWN: the connection was lost before the remote
 * reported. */
err_t git_porcelain(const char *printed, const char *ref, struct str *status);

/* Appends the messages of a remote to `out`, as one line of at most `max` octets.  It leaves out "remote: " at the
 * beginning of a line, blanks at its end, and control characters; also git's own lines "To ..." and "failed to push",
 * if there are others. */
void git_words_line(const char *words, size_t max, struct str *out);
