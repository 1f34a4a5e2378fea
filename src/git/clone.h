/* git/clone.h -- private to src/git: the clone of a remote, kept small.  Only workers use it, one at a time. */
#pragma once

#include "git/dirs.h"
#include "git/fetch.h"
#include "git/home.h"
#include "git/intake.h"
#include "git/lib.h"

struct git_clone {
	git_repository *repo;  /* NULL: not open */
	struct intake *intake; /* the repository's */
	struct git_dirs dirs;  /* directories that were read from it */
};

/* Opens the clone.  If there is none, or it cannot be opened, an empty one takes its place. */
err_t git_clone_open(const struct git_home *h, struct git_clone *out, struct diag *diag);
void git_clone_close(struct git_clone *c); /* also for a local remote that is read in place */

/* Writes the new objects to the disk, and then moves the clone's reference to `head`.  If the process is killed before
 * that, the next fetch brings the same objects again. */
err_t git_clone_keep(const struct git_home *h, const struct git_how *how, struct git_clone *c, const git_oid *head,
                     struct diag *diag);

/* For a clone that is damaged or has grown too large: fetches all of the remote into a new clone, which takes the place
 * of the old one when it is complete, and has from it what was left behind (git/past.h).  On an error the old one stays
 * as it was. */
err_t git_clone_renew(const struct git_home *h, const struct git_how *how, struct git_clone *c, git_oid *out,
                      struct str *branch, struct diag *diag);

/* True when a new clone is worth a try: unless one was made for this same commit of the remote a short while ago and
 * did not help. */
bool git_clone_may_renew(const struct git_home *h, const git_oid *head);
void git_clone_note_vain(const struct git_home *h, const git_oid *head); /* notes that a new clone did not help for `head` */

/* Keeps the clone small and quick to read.  The cost depends on how much the last fetches brought.
 *
 * - When there are many loose objects, they become a pack.  When there are many packs, the small ones become one.  Large packs stay:
 *   the first of them came from the remote, which packed it better than we could.
 * - Of a large file only the version in `head` is kept.  If the remote ever sends a difference to an older version, the fetch fails,
 *   and the clone is made anew.  That costs less than to keep (or to pack) every version of 40 MB. */
err_t git_clone_tidy(const struct git_home *h, const struct git_how *how, struct git_clone *c, const git_oid *head,
                     struct diag *diag);

/* True when the clone has grown so large that git_clone_renew() should make it anew when there is time. */
bool git_clone_is_grown(const struct git_home *h);
