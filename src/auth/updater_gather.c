#include "auth/updater_p.h"
#include "dns/wire.h"

void
updater_put_back(struct updater *u)
{
	batch_free(&u->batch);
	jobs_put_before(&u->queue, &u->pending);
}

/* The cost of reading and verifying an update, in the batch's units. */
static uint64_t
cost_of_octets(const struct job *j)
{
	return 1 + j->request.len / 64;
}

/* Puts the next waiting update into the batch.  False: the batch takes no more. *is_broken: the batch cannot be used at all
 * any more. */
static bool
add_next(struct updater *u, bool *is_broken)
{
	struct job *j = updater_take_next(u);
	uint64_t cost = batch_cost(u->batch);
	enum batch_taken taken = BATCH_SETTLED;
	err_t err = update_task_open(&j->task, primary_view(u->conf.primary));
	if (err == E_NOMEM) {
		update_task_settle(&j->task, RCODE_SERVFAIL, EDE_OTHER, "no memory");
	} else if (err == OK && updater_is_repeated(u, j)) {
		return true;
	} else if (err == OK) {
		*is_broken = batch_add(u->batch, &j->task, &taken) != OK;
		lines_charge(&u->lines, &j->turn, batch_cost(u->batch) - cost + cost_of_octets(j));
		if (*is_broken || taken == BATCH_FULL) {
			update_task_close(&j->task);
			jobs_put_first(&u->queue, j);
			return false;
		}
	}
	if (taken == BATCH_PENDING) {
		jobs_append(&u->pending, j);
	} else {
		updater_answer(u, j);
	}
	return true;
}

/* `n` of the updates for which the limit holds are finished. */
static void
count_limited(struct updater *u, size_t n)
{
	u->limited_n = u->limited_n > n ? u->limited_n - n : 0;
	if (u->limited_n == 0) {
		u->limit = 0;
		u->splits = 0;
	}
}

void
updater_count_good(struct updater *u, size_t n)
{
	count_limited(u, n);
	if (u->splits == 0) {
		u->limit *= 2;
	}
}

/* Undoes the batch: its updates wait again, and are taken in batches of at most `limit` updates. */
static void
put_back_limited(struct updater *u, size_t limit)
{
	u->limited_n = u->limited_n > u->pending.n ? u->limited_n : u->pending.n;
	u->limit = limit;
	updater_put_back(u);
}

void
updater_split(struct updater *u, bool is_pushed, const struct answer_to_all *a)
{
	size_t n = u->pending.n;
	if (n > 1 && (!is_pushed || u->splits < UPDATE_SPLITS_MAX)) {
		u->splits += is_pushed;
		put_back_limited(u, n / 2);
		return;
	}
	batch_free(&u->batch);
	updater_answer_all(u, &u->pending, a);
	count_limited(u, n);
	if (u->splits == UPDATE_SPLITS_MAX) {
		u->limit = 0; /* no more halves: the rest of the updates is tried once, together */
	}
}

/* There is no memory even for an empty batch: answers one waiting update SERVFAIL. */
static void
refuse_next(struct updater *u)
{
	struct job *j = updater_take_next(u);
	u->are_serials_due = false; /* the next commit reports the zones again, or an update writes their serial */
	if (j == NULL || (update_task_open(&j->task, primary_view(u->conf.primary)) == OK && updater_is_repeated(u, j))) {
		return;
	}
	update_task_settle(&j->task, RCODE_SERVFAIL, EDE_OTHER, "no memory");
	updater_answer(u, j);
}

/* Makes a batch, and puts waiting updates into it until it is full.  Returns what add_next() set as *is_broken. */
static bool
fill(struct updater *u)
{
	bool is_broken = false;
	size_t limit = u->limit != 0 ? u->limit : BATCH_TASKS_MAX;
	u->conf.io.begin_reading(u->conf.io.ctx);
	u->made_s = updater_time(u).wall_s;
	u->batch = batch_new(u->conf.primary, &u->conf.source, u->made_s);
	if (u->batch == NULL) {
		refuse_next(u);
		return false;
	}
	updater_put_serials(u);
	while (updater_is_any_waiting(u) && u->pending.n < limit && !batch_is_full(u->batch) && add_next(u, &is_broken)) {
	}
	return is_broken;
}

bool
updater_gather(struct updater *u)
{
	bool is_broken = fill(u);
	if (is_broken && u->pending.n == 0) { /* the update that is now the first in the queue is the cause */
		jobs_append(&u->pending, jobs_take(&u->queue));
		updater_split(u, false, &(struct answer_to_all){ .rcode = RCODE_SERVFAIL, .ede = EDE_OTHER,
		                                                 .text = "the update is too large, or there is no memory" });
	} else if (is_broken) { /* the update after the pending ones is the cause */
		put_back_limited(u, u->pending.n);
	}
	return u->batch != NULL && !is_broken && (u->pending.n != 0 || u->serials_put_n != 0);
}
