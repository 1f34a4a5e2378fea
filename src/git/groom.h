/* git/groom.h -- private to src/git: keeps a repository on this machine that we write to directly small and quick to read.
 *
 * A push by git ends with `git gc --auto`; ours leave a small pack each, and this is what they do instead.  Small packs become one
 * with deltas between what is in them, and of those some become one whenever a few of a size are there: what a push
 * costs stays the same, and so does what there is on the disk for it.  Nothing is removed that was not copied before, be it
 * referred to or not: what nobody needs any more goes with the owner's next `git gc`.  Loose objects, which are of others' making and
 * for their git to pack, are left alone; so are packs that somebody keeps (see git_packs_list()), and all of it while a
 * `git gc` is at work, and when the owner does not want git to tidy after pushes: gc.auto=0, gc.autoPackLimit=0,
 * receive.autogc=false.
 *
 * DIR/gc.pid says that a `git gc` is at work.  One that was killed leaves it behind, so git's own rule counts: it is believed for 12 hours,
 * and of a process on this machine for as long as there is one of that number.
 */
#pragma once

#include "git/connect.h"

enum {
	GROOM_PACKS = 32,     /* more than before: it is time, when nobody waits */
	GROOM_PACKS_MAX = 64, /* then, whoever waits */
};

enum groom_time { GROOM_NOT_YET, GROOM_WHEN_IDLE, GROOM_NOW };

/* Is it time?  `before`: packs that there were after the last time; 0 at first.  A look into one directory. */
enum groom_time git_groom_time(git_repository *repo, size_t before);

/* Is there a gc.pid in `dir` (which ends in "/") that counts?  *is_stale: there is one, but it does not. */
bool git_gc_is_at_work(const char *dir, bool *is_stale);

/* Some 0.2 ms for each push since the last time, and now and then up to half a second.  *before: for the next git_groom_time(). */
struct groomed {
	bool was_groomed;  /* packs are gone: whoever has the repository open does well to open it again */
	bool has_stale_gc; /* a gc.pid was passed over */
};
err_t git_groom(const struct git_how *how, git_repository *repo, size_t *before, struct groomed *out, struct diag *diag);
