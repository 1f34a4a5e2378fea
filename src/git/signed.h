/* git/signed.h -- private to src/git: reads from commits when the updates that they carried out were signed.
 *
 * An update must not be carried out twice.  A primary remembers the signatures of updates, but not over a restart.  So it writes into
 * each commit, for each key, when the last of the key's updates was signed (trailer Origin-Signed), and reads that after a
 * start.  Commits that are older than SIGNED_AGE_S need not be read: their updates' signatures are too old to be accepted again
 * (auth/replay.h).
 */
#pragma once

#include "git/lib.h"
#include "git/link.h"
#include "git/link_files.h"

enum {
	SIGNED_AGE_S = 3600,        /* of commits; a signature is good for less than half of that, and clocks of primaries differ */
	SIGNED_COMMITS_MAX = 10000, /* that are looked at */
	SIGNED_TOLD_MAX = 20000,    /* times that are told */
};

/* Adds LINK_ENTRY_SIGNED: a key's name and a time; a key may come again.  When there are more commits than are looked at, or more times
 * than are told, one for all keys ("."), with the time of the commit at which it ends.  Looked at is what `base` has not; NULL: all. */
void git_signed_put(git_repository *repo, const git_oid *base, const git_oid *commit, uint64_t now_s, struct link_build *build);
