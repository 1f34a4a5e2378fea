/* git/intake.h -- private to src/git: takes in what a small fetch brings, without making a pack of it.
 *
 * libgit2 keeps each fetch as a pack, completed with every base that the remote left out: a one-line change of a 25 MB
 * zone becomes a pack of 7 MB and takes two seconds, most of them to deflate what was here already.  The intake
 * resolves the pack in memory and serves the objects from there, so that the commit can be told at once;
 * afterwards intake_flush() writes them as loose objects, as git's own fetch does with small packs.
 *
 * It hangs in the repository as an object database and goes with it.  What it has in memory when the process ends
 * is fetched again: nothing refers to it before it is flushed.
 */
#pragma once

#include "git/lib.h"

struct intake;

/* Puts the intake before `repo`'s other objects. */
err_t intake_attach(git_repository *repo, struct intake **out, struct diag *diag);

/* Do fetches come to the intake?  Not into an empty clone: a whole repository is better off as a pack of libgit2's. */
void intake_set_open(struct intake *in, bool is_open);

bool intake_is_empty(const struct intake *in);
size_t intake_octets(const struct intake *in); /* of what it has in memory */

/* Takes an object that is to be pushed, as if it had been fetched; `data` is copied.  E_NOMEM. */
err_t intake_take(struct intake *in, const uint8_t id[20], git_object_t type, const void *data, size_t len);

/* Forgets what was not flushed. */
void intake_drop(struct intake *in);

/* Writes the objects to the disk and forgets them.  E_IO: no room (they stay in memory). */
err_t intake_flush(struct intake *in, void (*alive)(void *ctx), void *ctx, struct diag *diag);
