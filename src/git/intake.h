/* git/intake.h -- private to src/git: an intake keeps the objects of a small fetch in memory, without making a pack of
 * them.
 *
 * A remote sends an object as its difference to another one, the base, which may be in the clone alone.  libgit2 makes
 * a pack of each fetch, and copies these bases into it: a change of one line in a zone of 25 MB becomes a pack of 7 MB,
 * and takes two seconds, most of them to deflate what the clone has already.  The intake works out the objects in
 * memory (git's own `unpack-objects` does so too), and libgit2 reads them from there, so that the DNS side can be told
 * of the commit at once.  Afterwards intake_flush() writes them to the clone as loose objects.
 *
 * It is a backend of the repository's object database, and is freed with the repository.  When the process ends before
 * intake_flush(), nothing is lost: no reference leads to these objects yet, and they are fetched again.
 */
#pragma once

#include "git/lib.h"

struct intake;

/* Adds an intake to `repo`.  libgit2 looks for objects there first. */
err_t intake_attach(git_repository *repo, struct intake **out, struct diag *diag);

/* Whether fetches go to the intake.  They should not while the clone is empty: the first fetch is better kept as a pack. */
void intake_set_open(struct intake *in, bool is_open);

bool intake_is_empty(const struct intake *in);
size_t intake_octets(const struct intake *in); /* of the objects in memory */

/* Adds an object that is to be pushed, as if it had been fetched; `data` is copied.  E_NOMEM. */
err_t intake_take(struct intake *in, const uint8_t id[20], git_object_t type, const void *data, size_t len);

/* Forgets all objects without writing them. */
void intake_drop(struct intake *in);

/* Writes the objects to the disk and forgets them.  E_IO: they cannot be written, and stay in memory. */
err_t intake_flush(struct intake *in, void (*alive)(void *ctx), void *ctx, struct diag *diag);
