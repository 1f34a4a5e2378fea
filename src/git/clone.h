/* git/clone.h -- private to src/git: the clone of a remote, kept small.  Used by workers alone, one at a time. */
#pragma once

#include "git/fetch.h"
#include "git/home.h"
#include "git/lib.h"

/* Opens the clone, or makes an empty one; what cannot be opened is thrown away and made anew. */
err_t git_clone_open(const struct git_home *h, git_repository **out, struct diag *diag);

/* Fetches into a new clone aside, and puts that in the place of the old one when it is whole: a damaged clone is mended
 * so, and a grown one made small.  On an error the old one is as it was.  *repo (may be NULL) is the open old one;
 * it is closed, and the new one opened. */
err_t git_clone_renew(const struct git_home *h, const struct git_fetch *f, git_repository **repo, git_oid *out,
                      struct diag *diag);

/* Keeps the clone small and quick to read: after many fetches, each of which left a pack, there is one again, and what
 * nothing leads to is gone.  After a commit was told, when nobody waits.  *repo may be closed by it. */
err_t git_clone_tidy(const struct git_home *h, const struct git_fetch *f, git_repository **repo, const git_oid *head,
                     struct diag *diag);
