/* auth/updater.h -- makes commits of updates: decides their order, which updates share a commit, and what each is answered.
 *
 * A state machine without I/O. Updates, and the results of pushes and pulls, come in by function calls; what is to be done
 * goes out by callbacks.
 *
 * While a commit is being pushed, new updates wait.  Then all that wait go into one batch (auth/batch.h), which becomes one
 * commit and one push.  When they cost more than one batch may, keys take turns according to the cost of their updates
 * (auth/lines.h); the updates of one key stay in order.  An update is answered NOERROR when its commit is in the remote and
 * served, not earlier; or when it is in the remote, and only memory for the new view is missing (UPDATER_NOT_TAKEN_OVER):
 *
 *     idle ── batch made, push ──> pushing ── pushed ──> published, answered ──> idle
 *                                     ├── E_STALE ──> pulling ── commit ──> the same updates again, on the new head
 *                                     ├── E_UNKNOWN ──> pulling ── the remote has the commit ──> answered
 *                                     │                    ├── the branch has moved without it ──> the same updates again
 *                                     │                    └── the branch has not moved: the commit may still arrive ──> the push again
 *                                     └── another error ──> the batch again in two halves, or SERVFAIL with the reason
 *          └─ nothing changes ──> pulling ── nothing new ──> answered; ── commit ──> the same updates again, on the new head
 *
 * When batches follow each other without a pause, the next one may have to wait, so that people can push (auth/quiet.h).
 *
 * A commit that comes from a pull while a batch is under way undoes the batch first, because the batch was made on a
 * version that is no longer served.  No batch begins while a pull is under way.  When the pull ends, waiting updates have
 * their turn before the next pull.
 *
 * A request whose signature was seen before is not carried out again (auth/replay.h): it gets the answer of the first
 * request.  While that answer is not known, it gets none.
 *
 * Bounds: UPDATE_* below, and the bounds of auth/batch.h and auth/replay.h.  The caller bounds how many updates wait: each
 * is kept until updater_io.answer gives it back.  Threads: one; the callbacks must not call back in.  Any thread may read
 * the counters.
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
	UPDATE_TRIES_MAX = 8,       /* of one update, each on a head that moved while it was pushed */
	UPDATE_PUSHES_MAX = 3,      /* repeated pushes of one commit of which nobody knows whether it arrived */
	UPDATE_SERIALS_MAX = 200000, /* zones that wait for a new serial; a zone beyond that is reported again with the next
	                              * commit */
	UPDATE_SERIALS_LOOKED_AT = 1000, /* a longer list of these zones is not searched */
	UPDATE_SPLITS_MAX = 8,      /* pushes of ever smaller parts of a batch, to find the update that the remote refuses */
	UPDATE_UNKNOWN_MAX_S = 120, /* an update whose fate is unknown is kept for this time: after that no client waits for the
	                             * answer */
};

struct updater_now {
	uint64_t mono_ns; /* never goes back */
	uint64_t wall_s;  /* since 1970: for signatures, serials and the commit */
};

/* An update as it came, after its signature was verified.  Everything in it is borrowed until the request is given back. */
struct updater_request {
	const struct name *key;  /* the name of the key that signed it: keys take turns */
	const struct peer *peer;
	uint64_t arrived_s;      /* since 1970 */
	uint64_t arrived_ns;     /* as updater_now.mono_ns */
	const uint8_t *bytes;    /* the message */
	size_t len;
	void *handle;            /* the caller's */
};

/* A commit to be pushed.  Borrowed for the call. */
struct updater_push {
	const struct batch_file *files;
	size_t n;
	const char *message;
	const char *base;        /* its parent, the commit that is served; "": the remote has no such branch yet */
	const char *again;       /* NULL: a new commit.  Otherwise the id of this same commit, of whose first push nobody
	                          * knows whether it arrived */
	uint64_t made_s;         /* since 1970: the commit's time; the same when it is pushed again */
};

/* Events for the log, each with the fields of updater_report that it sets. */
enum updater_event {
	UPDATER_PAUSES,             /* updates wait for `wait_ms`, so that people can push; `text`: why */
	UPDATER_PUSHED,             /* `commit`, `updates`, `took` */
	UPDATER_PUSH_FAILED,        /* `updates`; `text`: why */
	UPDATER_PUSH_UNCLEAR,       /* E_UNKNOWN: `commit`, `updates`, `text` */
	UPDATER_NOT_TAKEN_OVER,     /* the commit is in the remote, but is not served; the whole tree is pulled again;
	                             * `text`: why */
	UPDATER_SERIAL_NOT_WRITTEN, /* `text`: why */
	UPDATER_REFUSED,            /* one update was not carried out; `refused`; `text`: why */
	UPDATER_EVENTS
};

/* How long the steps towards a commit took, in microseconds. */
struct updater_took {
	unsigned evaluate_us, edit_us, commit_us, push_us, publish_us, total_us;
};

struct updater_refused {
	const struct peer *peer;
	const uint8_t *zone, *key;
	unsigned rcode;
};

/* Borrowed for the call.  Fields that are not named with the event are zero. */
struct updater_report {
	enum updater_event event;
	const char *commit, *text;
	size_t updates;          /* number of updates concerned; UPDATER_PAUSES: number that wait */
	unsigned wait_ms;
	struct updater_took took;
	struct updater_refused refused;
};

struct updater_io {
	struct updater_now (*now)(void *ctx);

	/* begin_reading: from now on the updater opens files of the served commit (updater_conf.source). is_pull_coming:
	 * true when the source answers E_STALE because a pull is already under way, so that the updater need not ask for
	 * one. */
	void (*begin_reading)(void *ctx);
	bool (*is_pull_coming)(void *ctx);

	/* One push at a time; updater_on_pushed() or updater_on_push_failed() follows.  False: there is no process to take
	 * the push; a pull starts one. */
	bool (*push)(void *ctx, const struct updater_push *p);

	/* Asks for a pull; updater_after_pull() without is_older follows. is_whole: the pull is to report all files of the tree, not only
	 * changed ones. */
	void (*pull)(void *ctx, bool is_whole);

	/* reserve() comes before publish(), so that publish() cannot fail.  `old` is given to discard_free() once nobody
	 * reads it. */
	err_t (*reserve)(void *ctx);
	void (*publish)(void *ctx, const struct view *next, struct discard *old);

	/* Called once for each request: sends the answer, and takes the request back.  Length 0: no answer is sent. */
	void (*answer)(void *ctx, void *handle, const uint8_t *bytes, size_t len);

	void (*say)(void *ctx, const struct updater_report *r);
	void *ctx;
};

struct updater_conf {
	struct primary *primary;          /* borrowed */
	const struct server_conf *server; /* borrowed: for answers */
	struct source_commit source;      /* only ctx, open and close are used: files of the served commit */
	struct updater_io io;
};

/* One thread writes, any thread reads. */
struct updater_stats {
	_Atomic uint64_t commits;    /* pushed */
	_Atomic uint64_t updates;    /* answered NOERROR */
	_Atomic uint64_t refused;    /* answered otherwise */
	_Atomic uint64_t failed;     /* answered SERVFAIL */
	_Atomic uint64_t repeated;   /* repeats of a request that was still under way: not answered */
	_Atomic uint64_t unanswered; /* not answered, since their fate is unknown */
	_Atomic uint64_t again;      /* worked out again on another head */
};

struct updater;

struct updater *updater_new(const struct updater_conf *conf);
void updater_free(struct updater **u); /* NULL-safe; gives all requests back without answers */
const struct updater_stats *updater_stats(const struct updater *u);

/* Octets that the updater allocates for each waiting request, besides the caller's own. */
size_t updater_request_octets(void);

/* ---- updates ---- */

/* Adds an update to those that wait.  If there is no memory for it, the request is given back at once without an answer,
 * and the client will send it again. */
void updater_add(struct updater *u, const struct updater_request *r);

/* Call this after every input.  Begins a batch if it can, unless a pull is under way (`is_pulling`). */
void updater_go_on(struct updater *u, bool is_pulling);

/* Milliseconds until updater_go_on() has work, if no pull is under way and no input comes; -1: no work is waiting. */
int updater_wait_ms(struct updater *u);

/* ---- serials ---- */

/* The zone was changed without a new serial: a higher one is to be written into its file. */
void updater_add_serial(struct updater *u, const uint8_t *apex, uint32_t serial);

/* True when a newer serial for this version of the zone will be written soon.  False after a failed attempt, and when too
 * many zones wait to search among them. */
bool updater_is_serial_coming(const struct updater *u, const struct zone *z);

/* ---- the past ---- */

/* A commit of the history says that `key` (".": some key that is not named) signed updates up to `signed_s`, and that they
 * were carried out.  Calls after the first pull are ignored: from then on this primary remembers its own updates, and the
 * updates of other primaries are their own concern. */
void updater_note_signed(struct updater *u, const char *key, size_t len, uint64_t signed_s);

/* ---- results of pushes ---- */

struct updater_pushed {
	const char *commit;
	unsigned commit_us, push_us; /* time to make the commit, and to push it */
};

/* E_STALE: the branch has moved.  E_UNKNOWN: nobody can tell yet whether the commit arrived; a pull will.  Any other error:
 * it did not arrive.  A push of the same commit again ends only with updater_on_pushed() or E_UNKNOWN. */
struct updater_push_failure {
	err_t status;
	const char *commit;      /* E_UNKNOWN: its id */
	const char *text;
};

void updater_on_pushed(struct updater *u, const struct updater_pushed *p);
void updater_on_push_failed(struct updater *u, const struct updater_push_failure *f);

/* ---- results of pulls ---- */

enum updater_pull_end { UPDATER_PULL_COMMIT, UPDATER_PULL_UPTODATE, UPDATER_PULL_FAILED };

struct updater_pull {
	enum updater_pull_end end;
	bool is_older;           /* it began before updater_io.pull asked last: the pull that was asked for is still to come */
	const char *commit;      /* COMMIT: the remote's head; the same as before is possible when the whole tree was wanted */
	bool is_from_cache;      /* the remote was not reached: the commit is from the clone, the remote may have a newer
	                          * one */
	bool is_of_people;       /* COMMIT: at least one of the new commits was made by people, not by a primary */
	bool has_pushed;         /* the remote has the commit of the push that ended with E_UNKNOWN */
	bool has_no_branch;      /* FAILED: the remote was reached, and has no such branch */
	const char *text;        /* FAILED: why */
};

/* Call this before a pulled commit is given to the primary. */
void updater_before_commit(struct updater *u);

/* The pull has ended.  If it brought a commit, the primary has taken that over or refused it by now. */
void updater_after_pull(struct updater *u, const struct updater_pull *p);

/* ---- the git process ---- */

/* The git process, which pushes and pulls, has died: whatever it was asked for will not happen.  The next git process
 * begins with a pull. */
void updater_on_death(struct updater *u);

/* There has been no git process for some time.  Until updater_on_return() all waiting and new updates are answered
 * SERVFAIL. */
void updater_on_absence(struct updater *u, const char *why);
void updater_on_return(struct updater *u);

/* There will be no git process any more: all waiting and new updates are answered SERVFAIL. */
void updater_on_loss(struct updater *u);
