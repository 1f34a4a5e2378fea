/* auth/updater_p.h -- what the files of the updater share; private to them.
 *
 * updater.c knows when there is something to do.  updater_push.c makes and pushes batches, and has what becomes of pushes; updater_pull.c
 * has what a pull says of them.  updater_gather.c knows which updates go into a batch, and how many.  updater_answer.c ends requests:
 * answers, repeats, and those that get no answer.  updater_serials.c has the zones whose serials are to be raised.
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
	struct lines lines;         /* those that wait, each key's in order of arrival */
	struct jobs queue;          /* whose turn it was, in order: they are before all others, and have been looked up in `replay` */
	struct jobs pending;        /* of the batch under way */
	struct batch *batch;        /* NULL: none, or undone */
	bool is_unknown;            /* whether `pending` was pushed, as the commit `unknown` */
	char unknown[65];
	char base[65];              /* on which `pending` was pushed first */
	unsigned pushes;            /* of that commit, after the first */
	char away[UPDATE_ANSWER_TEXT_MAX]; /* why the remote is not reached, and updates are not kept for it; "": it may be reached */
	bool is_idle;               /* `pending` changes nothing, if what is served is the remote's head */
	uint64_t made_s;            /* when the batch was made */
	struct quiet quiet;         /* between our pushes, for those of others */
	bool is_held;               /* updates wait for that */
	bool was_held;              /* and what was pushed meanwhile has not been pulled */
	bool is_past_known;         /* the remote was seen since the start */
	size_t limit;               /* updates in a batch; 0: as many as there can be */
	size_t limited_n;           /* updates, from the first on, for which that holds */
	unsigned splits;
	struct stuck_serial *serials; /* owned: those that are to be raised */
	size_t serials_n, serials_cap;
	size_t serials_put_n;       /* the first of them, which are in the batch */
	bool are_serials_due;       /* a commit for them alone is worth trying */
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

/* The batch is whole: what does it come to? */
void updater_prepare(struct updater *u);

/* The batch's commit, or the same one again.  False: nobody takes it. */
bool updater_send_push(struct updater *u);

void updater_begin_pull(struct updater *u);

/* Once more, on the head that a pull brings: those for which it has not been tried too often.  `why`: what was in the way. */
void updater_try_again(struct updater *u, const char *why);

/* The fate of what was pushed is known by now. */
void updater_settle_unknown(struct updater *u);

/* ---- updater_answer.c ---- */

/* Sends the answer that the task has, and is done with the job. */
void updater_answer(struct updater *u, struct job *j);
[[gnu::format(printf, 5, 6)]] void updater_answer_all(struct updater *u, struct jobs *q, unsigned rcode, int ede, const char *format, ...);

/* Without an answer: where the truth is not known, silence says as much. */
void updater_forget(struct updater *u, struct job *j, _Atomic uint64_t *counter);
void updater_forget_all(struct updater *u, struct jobs *q);

/* Has it come before?  Then it has the answer of the first, or none yet, and the job is done. */
bool updater_is_repeated(struct updater *u, struct job *j);

bool updater_is_any_waiting(const struct updater *u);
struct job *updater_take_next(struct updater *u); /* NULL: none waits */

/* SERVFAIL for all that wait, or for those alone whose turn it was already: the repository is not reached. */
void updater_answer_waiting(struct updater *u, bool all, const char *why);

/* ---- updater_gather.c ---- */

/* Makes a batch of those that wait.  False: there is nothing to prepare. */
bool updater_gather(struct updater *u);

/* Those of the batch under way wait again, before all others. */
void updater_put_back(struct updater *u);

/* A batch that failed as a whole may do in parts: one of its updates may spoil it for all.  Of one update that is the end.  is_pushed:
 * it failed at the remote; then it is not tried for ever, and what is left fails together. */
void updater_split(struct updater *u, bool is_pushed, unsigned rcode, int ede, const char *text);

/* So many have done well.  When the remote has refused none of them, the one in the way has been found: the next parts are larger. */
void updater_count_good(struct updater *u, size_t n);

/* ---- updater_serials.c ---- */

/* As many as it takes go into the batch; serials that are raised already are forgotten. */
void updater_put_serials(struct updater *u);

/* Those that went into the batch are done with. */
void updater_drop_put_serials(struct updater *u);
