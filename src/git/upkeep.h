/* git/upkeep.h -- private to src/git: keeps a repository on this machine, into which we write directly (git/direct.c), in few packs.
 *
 * Each such push leaves a small pack.  A push by git ends with `git gc --auto`; ours are followed now and then by
 * `git repack --geometric=2 -d`, which makes one pack of the small ones and leaves large ones alone, so that what a push costs stays the
 * same.  It removes no object, whether anything refers to it or not.  What it does with .keep files, multi-pack indexes and the owner's
 * settings is git's business.  It runs beside the pushes, which never wait for it, and no longer than --fetch-time-max, like a fetch.
 *
 * It is not started while a `git gc` is at work there, nor when the owner does not want git to do such things after pushes: gc.auto=0,
 * gc.autoPackLimit=0, receive.autogc=false.  DIR/gc.pid says that a `git gc` is at work.  One that was killed leaves this file
 * behind.  So, as git has it, the file counts for no longer than 12 hours, and if it names this machine, only while there is a process of
 * that number.
 *
 * DIR/origin-tidy has the process number of the repack, and is locked by flock() as long as that or one of its children is at work, even
 * if the worker that started it was killed.  So there is one repack of ours at a time, and whoever gets the lock next removes what one that
 * was killed has left: files that have its number in their names, and half a pack (objects/pack/tmp_*) when it is 12 hours old.
 */
#pragma once

#include "git/connect.h"
#include "git/run.h"

enum {
	UPKEEP_PACKS = 32,   /* it is time when there are so many more than after the last one */
	UPKEEP_TURN_MS = 20, /* so often is looked at one that is at work */
};

struct git_upkeep {
	struct git_run run;
	int dir;           /* the repository's; -1: nothing is at work */
	int lock;          /* DIR/origin-tidy */
	uint64_t end_ms;   /* then it is ended */
	size_t packs;      /* after the last one */
};

#define GIT_UPKEEP_NONE ((struct git_upkeep){ .run = GIT_RUN_NONE, .dir = -1, .lock = -1 })

/* Starts git, if it is time.  E_BUSY: another process is at it; others: it cannot be started.  *has_stale_gc: there was a gc.pid, which did
 * not count. */
err_t git_upkeep_begin(struct git_upkeep *u, const struct git_how *how, git_repository *repo, bool *has_stale_gc, struct diag *diag);

bool git_upkeep_is_on(const struct git_upkeep *u);

/* Of one that is on, without waiting.  E_BUSY: it is still at work.  All else is its end.  OK: packs may be gone, so whoever has the
 * repository open has to open it again; others: it has failed. */
err_t git_upkeep_look(struct git_upkeep *u, struct diag *diag);

/* Ends it, if it is at work. */
void git_upkeep_stop(struct git_upkeep *u);

/* Is there a gc.pid in the repository's directory that counts?  *is_stale: there is one, but it does not. */
bool git_gc_is_at_work(int dir, bool *is_stale);
