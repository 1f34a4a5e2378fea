/* git/signed.h -- private to src/git: when the updates were signed that the last commits of the branch have carried out.
 *
 * A primary that was started anew has forgotten their signatures, but for what it has written into their commits: the last time of
 * signing of each key (trailer Origin-Signed).  What came before the last SIGNED_AGE_S cannot come again (auth/replay.h).
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
