/* git/upkeep.h -- private to src/git: keeps a repository on this machine, into which we write directly (git/direct.c),
 * in few packs.
 *
 * Each such push leaves a small pack.  A push by git ends with `git gc --auto`.  After ours we run
 * `git repack --geometric=2 -d` now and then.  It makes one pack of the small ones and does not touch large ones, so
 * that the cost of a push stays the same.  It removes no object, whether anything refers to the object or not.  git
 * itself takes care of .keep files, multi-pack indexes and the owner's settings.  The repack runs beside the pushes,
 * which never wait for it.  Like a fetch, it may take no longer than --fetch-time-max.
 *
 * Most of the processor time of a repack is the start of git: 28 ms for 32 packs, 33 for 64, 48 for 128.  So 32 packs
 * wait for a quiet moment, and 128 do not.  When nobody pushes, there are fewer packs than 50: with 50 a
 * `git gc --auto` of the owner would begin.
 *
 * It is not started while a `git gc` is at work there.  It is not started either if the owner has told git not to tidy
 * after pushes: gc.auto=0, gc.autoPackLimit=0, receive.autogc=false.
 *
 * DIR is the repository's directory.  DIR/gc.pid says that a `git gc` is at work.  A `git gc` that was killed leaves
 * this file behind.  So we follow git's rule: the file counts for 12 hours, and, if it names this machine, only while
 * there is a process with its number.
 *
 * DIR/origin-tidy is locked by flock() while the repack or one of its children is at work, even if the worker that
 * started it was killed.  So there is one repack of ours at a time.  The next one that gets the lock removes what any
 * killed git has left in objects/pack: half a pack (tmp_*), and packs that were complete but had not got their name
 * (.tmp-PID-pack-*), once they are 12 hours old.  The process number does not tell whose they are: another process may
 * have the number by now, or have the same one in another container or on another machine that shares the repository.
 * Our own repack seldom leaves anything, and not much: one pack, of the small ones.
 */
#pragma once

#include "git/connect.h"
#include "git/run.h"

enum {
	UPKEEP_PACKS = 32,      /* this many packs more than after the last repack: one is due in a quiet moment */
	UPKEEP_QUIET_MS = 20,   /* a moment is quiet when nobody has pushed for this long */
	UPKEEP_PACKS_MAX = 128, /* this many packs more: one is due at once */
	UPKEEP_TURN_MS = 20,    /* how often the worker looks at a repack that is at work */
};

struct git_upkeep {
	struct git_run run;
	int dir;           /* the repository's; -1: no repack is at work */
	int lock;          /* DIR/origin-tidy */
	uint64_t end_ms;   /* then the repack is ended */
	size_t packs;      /* after the last repack, without those of pushes during it */
	size_t more;       /* packs beyond these, as far as is known without looking; during a repack: since its begin */
	bool is_counted;   /* `more` is known: the first push makes it so */
};

#define GIT_UPKEEP_NONE ((struct git_upkeep){ .run = GIT_RUN_NONE, .dir = -1, .lock = -1 })

/* To be called after each push. */
void git_upkeep_note_push(struct git_upkeep *u);

/* True while a repack is at work. */
bool git_upkeep_is_on(const struct git_upkeep *u);

/* True when a repack may be due.  No repack may be at work. */
bool git_upkeep_is_due(const struct git_upkeep *u, bool is_quiet);

/* Looks whether a repack is due, and starts it then.  OK: it was started, or none is due or allowed
 * (git_upkeep_is_on()).  E_BUSY: another process has the lock.  Others: the lock cannot be written, or git cannot be
 * started.  *has_stale_gc: there is a gc.pid that does not count. */
err_t git_upkeep_begin(struct git_upkeep *u, const struct git_how *how, git_repository *repo, bool *has_stale_gc, struct diag *diag);

/* Looks at the repack, without waiting.  E_BUSY: it is still at work.  OK: it has ended, and packs may be gone: the
 * repository must be opened again.  Others: it has failed. */
err_t git_upkeep_look(struct git_upkeep *u, struct diag *diag);

/* Ends the repack, if one is at work. */
void git_upkeep_stop(struct git_upkeep *u);

/* True when a `git gc` is at work in the repository with the directory `dir`.  *is_stale: there is a gc.pid, but it
 * does not count. */
bool git_gc_is_at_work(int dir, bool *is_stale);
