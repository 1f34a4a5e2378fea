/* bin/oprimary_update_p.h -- what oprimary_update.c, which knows when, and oprimary_gather.c, which knows what, share; private to them.
 *
 * oprimary_gather.c takes updates into batches, in whose turn it is and how many, and answers them.
 */
#pragma once

#include "bin/oprimary_jobs.h"
#include "bin/oprimary_update.h"

static inline void
updater_count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

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

/* Makes a batch of those that wait.  False: there is nothing to prepare. */
bool updater_gather(struct updater *u);

/* Those of the batch under way wait again, before all others. */
void updater_put_back(struct updater *u);

/* A batch that failed as a whole may do in parts: one of it may spoil it for all.  Of one update that is the end.  is_pushed: it has
 * failed at the remote; then it is not tried for ever, and what is left fails together. */
void updater_split(struct updater *u, bool is_pushed, unsigned rcode, int ede, const char *text);

/* So many have done well.  When the remote has refused none of them, the one in the way has been found: the next parts are larger. */
void updater_count_good(struct updater *u, size_t n);
