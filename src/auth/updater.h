/* auth/updater.h -- updates become commits: in which order, in which commit, and what each is answered.
 *
 * A state machine without I/O: updates come in, and so does what became of pushes and pulls; what is to be done goes out by callbacks.
 *
 * Updates wait until the commit before is pushed; then all that wait go into one batch (auth/batch.h), one commit, one push.  When they
 * are more than a batch may cost, keys take turns by what their updates cost (auth/lines.h); updates of one key stay in order.
 * Each is answered NOERROR when the commit is in the remote and served, and not before:
 *
 *     idle ── batch made, push ──> pushing ── pushed ──> published, answered ──> idle
 *                                     ├── E_STALE ──> pulling ── commit ──> the same updates again, on the new head
 *                                     ├── E_UNKNOWN ──> pulling ── the commit is in there ──> answered
 *                                     │                    ├── the branch has moved without it ──> the same updates again
 *                                     │                    └── the branch is where it was: the commit may come yet ──> the same push again
 *                                     └── another error ──> the batch again in two halves, or SERVFAIL with the reason
 *          └─ nothing changes ──> pulling ── nothing new ──> answered; ── commit ──> the same updates again, on the new head
 *
 * A batch that would follow the one before without a pause may have to leave one, in which people can push (auth/quiet.h).
 *
 * A commit that comes while a batch is under way undoes the batch first: it was made on a version that is served no more.  While a pull
 * is under way no batch is begun; when the pull ends, updates have their turn before the next pull.
 *
 * A request whose signature was seen before is not carried out again (auth/replay.h): it gets the answer of the first one, or none while
 * that is not known.
 *
 * Bounds: UPDATE_* below, and those of auth/batch.h and auth/replay.h.  How many updates wait is for the caller to bound: each is kept
 * until it is given back by updater_io.answer.
 * Threads: one; the callbacks must not call back in.  The counters may be read by any.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/batch.h"
#include "auth/primary.h"
#include "auth/server.h"
#include "base/err.h"
#include "dns/name.h"

enum {
	UPDATE_TRIES_MAX = 8,       /* of one update, on heads that moved while it was pushed */
	UPDATE_PUSHES_MAX = 3,      /* of one commit whose fate is not known, after the first */
	UPDATE_SERIALS_MAX = 200000, /* zones that wait for a serial; of one more the next commit tells again */
	UPDATE_SERIALS_LOOKED_AT = 1000, /* zones that wait for a serial, among which one is looked for */
	UPDATE_SPLITS_MAX = 8,      /* pushes of a batch in ever smaller parts, to find the update that the remote does not want */
	UPDATE_UNKNOWN_MAX_S = 120, /* that an update is kept whose fate is not known: nobody waits for its answer any longer */
};

struct updater_now {
	uint64_t mono_ns; /* never goes back */
	uint64_t wall_s;  /* since 1970: for signatures, serials and the commit */
};

/* An update as it came, its signature verified once.  All of it is borrowed until the request is given back. */
struct updater_request {
	const struct name *key;  /* the name of the key that signed it: whose turn it is */
	const struct peer *peer;
	uint64_t arrived_s;      /* since 1970 */
	uint64_t arrived_ns;     /* as updater_now.mono_ns */
	const uint8_t *bytes;    /* the message */
	size_t len;
	void *handle;            /* the caller's */
};

/* A commit that is to be in the remote.  Borrowed for the call. */
struct updater_push {
	const struct batch_file *files;
	size_t n;
	const char *message;
	const char *base;        /* the commit that it was made on, which is served; "": the branch is not there yet */
	const char *again;       /* NULL; or the id of the very same commit, of whose first push it is not known whether it arrived */
	uint64_t made_s;         /* since 1970: the commit's time; the same when it is pushed again */
};

/* What there is to say in the log. */
enum updater_event {
	UPDATER_PAUSES,             /* updates wait for `wait_ms`, so that people can push: `text` has the reason */
	UPDATER_PUSHED,             /* `commit`, `updates`, `took` */
	UPDATER_PUSH_FAILED,        /* `updates`; `text`: why */
	UPDATER_PUSH_UNCLEAR,       /* E_UNKNOWN: `commit`, `updates`, `text` */
	UPDATER_NOT_TAKEN_OVER,     /* the commit is in the remote, but is not served: everything is pulled again; `text`: why */
	UPDATER_SERIAL_NOT_WRITTEN, /* `text`: why */
	UPDATER_REFUSED,            /* one update was not carried out: `refused`; `text`: why */
	UPDATER_EVENTS
};

/* Microseconds of a commit's way. */
struct updater_took {
	unsigned evaluate_us, edit_us, commit_us, push_us, publish_us, total_us;
};

struct updater_refused {
	const struct peer *peer;
	const uint8_t *zone, *key;
	unsigned rcode;
};

/* Borrowed for the call; what is not named with the event is zero. */
struct updater_report {
	enum updater_event event;
	const char *commit, *text;
	size_t updates;          /* that are concerned; UPDATER_PAUSES: that wait */
	unsigned wait_ms;
	struct updater_took took;
	struct updater_refused refused;
};

struct updater_io {
	struct updater_now (*now)(void *ctx);

	/* From here on files of the commit that is served are opened (updater_conf.source).  Then: does the source say E_STALE because a
	 * pull is under way, so that none need be asked for? */
	void (*begin_reading)(void *ctx);
	bool (*is_pull_coming)(void *ctx);

	/* One at a time; updater_on_pushed() or updater_on_push_failed() follows.  False: nobody can take it, which a pull will mend. */
	bool (*push)(void *ctx, const struct updater_push *p);

	/* A pull is wanted; updater_after_pull() follows.  is_whole: it is to tell the whole tree. */
	void (*pull)(void *ctx, bool is_whole);

	/* Reserve comes first, so that publish cannot fail.  `old` is for discard_free() once nobody reads it. */
	err_t (*reserve)(void *ctx);
	void (*publish)(void *ctx, const struct view *next, struct discard *old);

	/* Once for each request: sends the answer, and takes the request back.  Len 0: there will be no answer. */
	void (*answer)(void *ctx, void *handle, const uint8_t *bytes, size_t len);

	void (*say)(void *ctx, const struct updater_report *r);
	void *ctx;
};

struct updater_conf {
	struct primary *primary;          /* borrowed */
	const struct server_conf *server; /* borrowed: for answers */
	struct source_commit source;      /* its ctx, open and close: files of the commit that is served */
	struct updater_io io;
};

/* Written by one thread, read by any. */
struct updater_stats {
	_Atomic uint64_t commits;    /* pushed */
	_Atomic uint64_t updates;    /* answered NOERROR */
	_Atomic uint64_t refused;    /* answered otherwise */
	_Atomic uint64_t failed;     /* answered SERVFAIL */
	_Atomic uint64_t repeated;   /* sent again while the first was under way: not answered */
	_Atomic uint64_t unanswered; /* what became of them is not known */
	_Atomic uint64_t again;      /* worked out once more, on another head */
};

struct updater;

struct updater *updater_new(const struct updater_conf *conf);
void updater_free(struct updater **u); /* NULL-safe; gives all requests back, without answers */
const struct updater_stats *updater_stats(const struct updater *u);

/* Octets that are kept for each request that waits, besides the caller's. */
size_t updater_request_octets(void);

/* ---- updates ---- */

/* It waits from now on.  Where there is no memory for it, it is given back at once: its sender will ask again. */
void updater_add(struct updater *u, const struct updater_request *r);

/* After whatever came in: begins a batch if it can, and `is_pulling` does not forbid it: a pull is under way. */
void updater_go_on(struct updater *u, bool is_pulling);

/* Milliseconds until updater_go_on() has something to do, when no pull is under way and nothing comes in; -1: nothing. */
int updater_wait_ms(struct updater *u);

/* ---- serials ---- */

/* The zone was changed and has its serial still: a higher one is to be written. */
void updater_add_serial(struct updater *u, const uint8_t *apex, uint32_t serial);

/* Will a newer serial of that version be written now?  Not once that has failed; of very many, it is not known. */
bool updater_is_serial_coming(const struct updater *u, const struct zone *z);

/* ---- the past ---- */

/* The history says that updates of that key (".": of any) were carried out which were signed up to then.  What comes after the first pull
 * is passed over: what this primary carries out it remembers, and it leaves to another one what that does. */
void updater_note_signed(struct updater *u, const char *key, size_t len, uint64_t signed_s);

/* ---- what became of pushes ---- */

struct updater_pushed {
	const char *commit;
	unsigned commit_us, push_us; /* what it took to make it, and to push it */
};

/* E_STALE: the branch has moved.  E_UNKNOWN: whether the commit arrived cannot be told; a pull tells it.  Another: it did not arrive.  A
 * push that is made again ends with updater_on_pushed() or E_UNKNOWN. */
struct updater_push_failure {
	err_t status;
	const char *commit;      /* E_UNKNOWN: its id */
	const char *text;
};

void updater_on_pushed(struct updater *u, const struct updater_pushed *p);
void updater_on_push_failed(struct updater *u, const struct updater_push_failure *f);

/* ---- what became of pulls ---- */

enum updater_pull_end { UPDATER_PULL_COMMIT, UPDATER_PULL_UPTODATE, UPDATER_PULL_FAILED };

struct updater_pull {
	enum updater_pull_end end;
	const char *commit;      /* COMMIT: the remote's head; it may be the same as before, when the whole tree was wanted */
	bool is_from_cache;      /* the remote was not reached: what it has now is not known */
	bool is_of_people;       /* COMMIT: not all that came was a primary's work */
	bool has_pushed;         /* the commit of the push that ended E_UNKNOWN is in there */
	bool has_no_branch;      /* FAILED: the remote was reached, and the branch is not there */
	const char *text;        /* FAILED: why */
};

/* Before a commit is given to the primary. */
void updater_before_commit(struct updater *u);

/* The pull has come to its end; a commit was taken over, or was not. */
void updater_after_pull(struct updater *u, const struct updater_pull *p);

/* ---- the git side's life ---- */

/* The process that pushes and pulls has died: nothing will come of what it was asked for.  The next one pulls first of all. */
void updater_on_death(struct updater *u);

/* There has been no other for some time: until updater_on_return() whatever waits or comes is answered SERVFAIL. */
void updater_on_absence(struct updater *u, const char *why);
void updater_on_return(struct updater *u);

/* There will be no other one after the death: whatever waits or comes is answered SERVFAIL. */
void updater_on_loss(struct updater *u);
