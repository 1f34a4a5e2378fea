/* git/clone.h -- private to src/git: the clone of a remote, kept small.  Used by workers alone, one at a time. */
#pragma once

#include "git/fetch.h"
#include "git/home.h"
#include "git/intake.h"
#include "git/lib.h"

struct git_clone {
	git_repository *repo;  /* NULL: not open */
	struct intake *intake; /* the repository's */
};

/* Opens the clone, or makes an empty one; what cannot be opened is thrown away and made anew. */
err_t git_clone_open(const struct git_home *h, struct git_clone *out, struct diag *diag);
void git_clone_close(struct git_clone *c);

/* Puts what was fetched on the disk and moves the reference to `head`.  Before that a kill makes the next fetch begin
 * where this one did. */
err_t git_clone_keep(const struct git_home *h, const struct git_how *how, struct git_clone *c, const git_oid *head,
                     struct diag *diag);

/* Fetches into a new clone aside, and puts that in the place of the old one when it is whole: a damaged clone is mended
 * so, and a grown one made small.  On an error the old one is as it was. */
err_t git_clone_renew(const struct git_home *h, const struct git_how *how, struct git_clone *c, git_oid *out,
                      struct str *branch, struct diag *diag);

/* Whether that is worth a try: not when it came to nothing for what the remote has (`head`), and that is not long ago. */
bool git_clone_may_renew(const struct git_home *h, const git_oid *head);
void git_clone_note_vain(const struct git_home *h, const git_oid *head); /* it came to nothing */

/* Keeps the clone small and quick to read, at a cost that goes by what the last fetches brought:
 *
 * - Loose objects become a pack when there are many; packs become one when there are many, but for the first and
 *   largest, which the remote packed better than we could.
 * - Of a large file only the version that `head` has is kept.  Should the remote ever build on an older one that it
 *   takes us to have, the fetch fails, and the clone is made anew: that costs less than to keep (or to pack)
 *   every version of 40 MB. */
err_t git_clone_tidy(const struct git_home *h, const struct git_how *how, struct git_clone *c, const git_oid *head,
                     struct diag *diag);

/* Has it grown so far that it should be made anew, with git_clone_renew(), when there is time? */
bool git_clone_is_grown(const struct git_home *h);
