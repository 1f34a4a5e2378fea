/* git/signed.h -- private to src/git: reads from commits up to which time the updates of each key were signed.
 *
 * An update must not be made twice.  A primary remembers the signatures of updates, but not over a restart.  So each
 * commit of a primary says, for each key, when the last of the key's updates was signed (trailer Origin-Signed).  The
 * primary reads that after a start.  Commits that are older than SIGNED_AGE_S need not be read: the signatures of their
 * updates are too old to be accepted again (auth/replay.h).
 */
#pragma once

#include "git/lib.h"
#include "git/link.h"
#include "git/link_files.h"

enum {
	SIGNED_AGE_S = 3600,        /* a signature is accepted for less than half of that, and the clocks of primaries differ */
	SIGNED_COMMITS_MAX = 10000, /* commits that are read */
	SIGNED_TOLD_MAX = 20000,    /* times that are told */
};

/* Reads the commits that are in the history of `commit` and not in that of `base` (NULL: all), the newest first.  Adds
 * a LINK_ENTRY_SIGNED for each Origin-Signed: a key's name and a time; a key may come several times.  If a limit is
 * reached, the last entry is for all keys (".") and has the time of the commit where the reading ended. */
void git_signed_put(git_repository *repo, const git_oid *base, const git_oid *commit, uint64_t now_s, struct link_build *build);
