/* auth/updater_p.h -- the private header of updater*.c.
 *
 * updater.c decides when work begins. updater_push.c makes batches, pushes them, and handles the results of pushes;
 * updater_pull.c handles the results of pulls. updater_gather.c decides which updates go into a batch, and how many.
 * updater_answer.c finishes requests, with or without an answer, and recognises repeats. updater_serials.c keeps the list
 * of zones whose serials are to be raised.
 */
#pragma once

#include "auth/lines.h"
#include "auth/quiet.h"
#include "auth/replay.h"
#include "auth/updater.h"
#include "auth/updater_jobs.h"

struct stuck_serial {
	struct name apex;
	uint32_t serial;
};

struct updater {
	struct updater_conf conf;
	enum { UPDATER_IDLE, UPDATER_PUSHING, UPDATER_PULLING, UPDATER_LOST } state;
	struct replay *replay;
	struct lines lines;         /* waiting updates; those of one key in order of arrival */
	struct jobs queue;          /* updates that were taken out of `lines` and wait again: they go before all others, and
	                             * were looked up in `replay` */
	struct jobs pending;        /* the updates of the current batch */
	struct batch *batch;        /* the current batch; NULL: none, or it was undone */
	bool is_unknown;            /* `pending` was pushed as the commit `unknown`, and nobody knows whether it arrived */
	char unknown[65];
	char base[65];              /* the parent of the commit of `pending` when it was pushed first */
	unsigned pushes;            /* repeated pushes of the commit `unknown` */
	char away[UPDATE_ANSWER_TEXT_MAX]; /* why the remote cannot be reached, so that updates are refused at once; "": it
	                                    * can be reached */
	bool is_idle;               /* `pending` changes nothing, provided that the served commit is the remote's head */
	uint64_t made_s;            /* when the batch was made */
	struct quiet quiet;         /* pauses between our pushes, for pushes by people */
	bool is_held;               /* updates wait for such a pause to end */
	bool was_held;              /* they have waited for a pause, and there was no pull since */
	bool is_past_known;         /* a pull has reached the remote since the start */
	size_t limit;               /* most updates in a batch; 0: BATCH_TASKS_MAX */
	size_t limited_n;           /* number of the next updates that the limit holds for */
	unsigned splits;            /* how often a part was split because the remote had refused it */
	struct stuck_serial *serials; /* owned: zones whose serials are to be raised */
	size_t serials_n, serials_cap;
	size_t serials_put_n;       /* number of them that are in the batch, beginning with the first */
	bool are_serials_due;       /* may be written even if no update waits */
	struct updater_times {
		uint64_t begin_ns, evaluated_ns, edited_ns, pushed_ns;
	} times;
	struct updater_stats stats;
	uint8_t wire[DNS_MSG_MAX];  /* the answer being sent */
};

static inline struct updater_now
updater_time(const struct updater *u)
{
	return u->conf.io.now(u->conf.io.ctx);
}

static inline uint64_t
updater_time_ms(const struct updater *u)
{
	return updater_time(u).mono_ns / 1000000u;
}

static inline void
updater_count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static inline void
updater_say(struct updater *u, const struct updater_report *r)
{
	u->conf.io.say(u->conf.io.ctx, r);
}

/* ---- updater_push.c ---- */

/* Prepares the commit of the complete batch, and pushes it. */
void updater_prepare(struct updater *u);

/* Pushes the batch's commit, for the first time or again.  False: there is no process to take the push. */
bool updater_send_push(struct updater *u);

void updater_begin_pull(struct updater *u);

/* Puts the updates of the batch back, to be tried on the head that the next pull brings.  An update that was tried too often is
 * answered SERVFAIL, with the reason `why`. */
void updater_try_again(struct updater *u, const char *why);

/* Clears `is_unknown`: the fate of the pushed commit is settled. */
void updater_settle_unknown(struct updater *u);

/* ---- updater_answer.c ---- */

/* Sends the answer that the task was given, and frees the job. */
void updater_answer(struct updater *u, struct job *j);

/* What several updates are answered. */
struct answer_to_all {
	unsigned rcode;
	int ede;
	const char *text;
	const char *general; /* as of update_task_hide(); NULL: everybody may see the text */
};
void updater_answer_all(struct updater *u, struct jobs *q, const struct answer_to_all *a);
void updater_answer_good(struct updater *u, struct jobs *q); /* NOERROR */

/* Frees the job without an answer, since nobody knows what the answer should be. */
void updater_forget(struct updater *u, struct job *j, _Atomic uint64_t *counter);
void updater_forget_all(struct updater *u, struct jobs *q);

/* True when the request has come before.  Then it was given the answer of the first request, or no answer if that is not known
 * yet, and the job was freed. */
bool updater_is_repeated(struct updater *u, struct job *j);

bool updater_is_any_waiting(const struct updater *u);
struct job *updater_take_next(struct updater *u); /* NULL: no update waits */

/* Answers SERVFAIL to all waiting updates, or only to those in `queue`: the repository cannot be reached. */
void updater_answer_waiting(struct updater *u, bool all, const char *why);

/* ---- updater_gather.c ---- */

/* Makes a batch of waiting updates.  False: there is nothing for updater_prepare(). */
bool updater_gather(struct updater *u);

/* Undoes the batch: its updates wait again, before all others. */
void updater_put_back(struct updater *u);

/* The batch failed as a whole, perhaps because of one of its updates: puts it back to be tried in two halves.  A single
 * update gets the answer `a`. is_pushed: the remote refused the batch.  Such halves are tried UPDATE_SPLITS_MAX
 * times; then the rest gets the answer together. */
void updater_split(struct updater *u, bool is_pushed, const struct answer_to_all *a);

/* Counts `n` updates that succeeded.  If the remote refused none of the parts (the batch was split for another reason), the next
 * parts are larger. */
void updater_count_good(struct updater *u, size_t n);

/* ---- updater_serials.c ---- */

/* Puts as many zones into the batch as it takes.  Forgets zones whose serial was raised meanwhile. */
void updater_put_serials(struct updater *u);

/* Forgets the zones that went into the batch. */
void updater_drop_put_serials(struct updater *u);
