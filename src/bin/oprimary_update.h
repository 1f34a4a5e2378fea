/* bin/oprimary_update.h -- updates become commits: what the loader does with them between two pulls.
 *
 * Updates wait until the one before is pushed; then all that wait go into one batch (auth/batch.h), one commit, one push.  When that is
 * more than a batch may cost, keys have their turns by what theirs cost (auth/lines.h), each key's updates in order of arrival.
 * Each is answered NOERROR when the commit is in the remote and served, and not before:
 *
 *     idle ── batch made, PUSH ──> pushing ── PUSHED ──> published, answered ──> idle
 *                                     ├── PUSH_FAILED E_STALE ──> pulling ── COMMIT ──> the same updates again, on the new head
 *                                     ├── PUSH_FAILED E_UNKNOWN ──> pulling ── in there ──> answered
 *                                     │                                     ├── the branch has moved without it ──> the same updates again
 *                                     │                                     └── it has not moved: may yet be ──> the same commit again
 *                                     └── PUSH_FAILED otherwise ──> half of them, or SERVFAIL with the reason
 *          └─ nothing changes ──> pulling ── UPTODATE ──> answered; ── COMMIT ──> the same updates again, on the new head
 *
 * A batch that would follow the one before without a pause may have to leave one, in which people can push (auth/quiet.h).
 *
 * A COMMIT that comes while a batch is under way undoes the batch first: it was worked out on what is served no more.  While a pull is
 * under way no batch is begun; when it ends updates have their turn before the next.
 *
 * One thread, the loader's; the counters are read by any.
 */
#pragma once

#include <stdatomic.h>

#include "auth/batch.h"
#include "auth/quiet.h"
#include "auth/replay.h"
#include "base/err.h"
#include "bin/oprimary_jobs.h"
#include "git/ask.h"
#include "git/puller.h"
#include "net/inbox.h"
#include "net/served.h"
#include "ops/log.h"

enum {
	UPDATE_TRIES_MAX = 8,       /* on heads that moved while it was pushed */
	UPDATE_PUSHES_MAX = 3,      /* of one commit whose fate is not known, after the first */
	UPDATE_SERIALS_LOOKED_AT = 1000, /* zones that wait for a serial, among which one is looked for */
	UPDATE_SPLITS_MAX = 8,      /* pushes of a batch in ever smaller parts, to find the one that the remote does not want */
	UPDATE_UNKNOWN_MAX_S = 120, /* that an update is kept whose fate is not known: nobody waits for its answer any longer */
};

struct updater_stats {
	_Atomic uint64_t commits;    /* pushed */
	_Atomic uint64_t updates;    /* answered NOERROR */
	_Atomic uint64_t refused;    /* answered otherwise */
	_Atomic uint64_t failed;     /* answered SERVFAIL */
	_Atomic uint64_t repeated;   /* sent again while the first was under way */
	_Atomic uint64_t unanswered; /* what became of them is not known */
	_Atomic uint64_t again;      /* worked out once more, on another head */
};

struct updater {
	/* set by the caller; borrowed */
	const struct log *log;
	struct git_side *git;
	struct puller *puller;
	struct served *served;
	struct primary *primary;
	const struct server_conf *conf;
	struct inbox *inbox;
	struct asker *asker;
	void (*changed)(void *ctx); /* a new view was published */
	void *ctx;
	/* the rest is zero */
	enum { UPDATER_IDLE, UPDATER_PUSHING, UPDATER_PULLING, UPDATER_LOST } state;
	struct replay *replay;
	struct lines lines;         /* those that wait, each key's in order of arrival */
	struct jobs queue;          /* whose turn it was, in order: they are before all others */
	struct jobs pending;        /* of the batch under way */
	struct batch *batch;        /* NULL: none, or undone */
	struct source_commit source; /* of the batch */
	bool is_unknown;            /* whether `pending` was pushed, as the commit `unknown` */
	char unknown[65];
	unsigned pushes;            /* of that commit */
	char away[UPDATE_ANSWER_TEXT_MAX]; /* is_unknown: why the remote is not reached; "": it may be */
	bool is_idle;               /* `pending` changes nothing, if what is served is the remote's head */
	uint64_t made_s;            /* when the batch was made */
	struct quiet quiet;         /* between our pushes, for those of others */
	bool is_held;               /* updates wait for that */
	bool was_held;              /* and what was pushed meanwhile has not been pulled */
	bool is_past_known;         /* the remote was seen since the start */
	size_t limit;               /* updates in a batch; 0: as many as there can be */
	size_t limited_n;           /* updates, from the first on, for which that holds */
	unsigned splits;
	struct stuck_serial {
		struct name apex;
		uint32_t serial;
	} *serials;                 /* owned: those that are to be raised */
	size_t serials_n;
	bool are_serials_due;       /* a commit for them alone is worth trying */
	struct updater_times {
		uint64_t begin_ns, evaluated_ns, edited_ns, pushed_ns;
	} times;
	struct updater_stats stats;
	uint8_t wire[DNS_MSG_MAX];  /* the answer being sent */
};

void updater_init(struct updater *u);
void updater_fini(struct updater *u);

/* Takes what is in the inbox, and begins a batch if it can.  One at a time: between two the loader hears the git side. */
void updater_go_on(struct updater *u);

/* Milliseconds until it is to go on, whatever comes; -1: when something comes. */
int updater_wait_ms(struct updater *u);

/* The zone was changed and has its serial still: a higher one is to be written. */
void updater_add_serial(struct updater *u, const uint8_t *apex, uint32_t serial);

/* The history says that updates of that key (".": of any) were carried out which were signed up to then.  What comes after the first pull
 * is passed over: what this primary carries out it remembers, and what another one does it leaves to that. */
void updater_note_signed(struct updater *u, const char *key, size_t len, uint64_t signed_s);

/* Will a newer serial of that version be written now?  Not once that has failed; of very many, it is not known. */
bool updater_is_serial_coming(const struct updater *u, const struct zone *z);

/* Frames of the git side. */
void updater_on_pushed(struct updater *u, const struct link_frame *f);
void updater_on_push_failed(struct updater *u, const struct link_frame *f);

/* Before a COMMIT is applied. */
void updater_before_commit(struct updater *u);

/* A pull has come to its end: COMMIT (applied or not), UPTODATE or FAILED. */
void updater_after_pull(struct updater *u, const struct link_frame *f);

/* The git process has died. */
void updater_on_death(struct updater *u);

/* There has been no other for some time: until updater_on_return() whatever waits or comes is answered SERVFAIL. */
void updater_on_absence(struct updater *u, const char *why);
void updater_on_return(struct updater *u);

/* And there will be no other: whatever waits or comes is answered SERVFAIL. */
void updater_on_loss(struct updater *u);
