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

/* Writes what was fetched to the disk, and then moves the clone's reference to `head`.  If the process is killed before that, the next
 * fetch brings the same again. */
err_t git_clone_keep(const struct git_home *h, const struct git_how *how, struct git_clone *c, const git_oid *head,
                     struct diag *diag);

/* Fetches all of the remote into a new clone, and puts it in the place of the old one when it is complete: for a clone that is damaged, or
 * has grown too large.  On an error the old one stays as it was. */
err_t git_clone_renew(const struct git_home *h, const struct git_how *how, struct git_clone *c, git_oid *out,
                      struct str *branch, struct diag *diag);

/* Is a new clone worth a try?  Not if one was made a short while ago for the same commit of the remote, `head`, and did not help. */
bool git_clone_may_renew(const struct git_home *h, const git_oid *head);
void git_clone_note_vain(const struct git_home *h, const git_oid *head); /* a new clone did not help for `head` */

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
