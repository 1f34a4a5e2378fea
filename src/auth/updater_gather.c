#include "auth/updater_p.h"
#include "dns/wire.h"

void
updater_put_back(struct updater *u)
{
	batch_free(&u->batch);
	jobs_put_before(&u->queue, &u->pending);
}

/* What it is to read and to verify an update, in the batch's units. */
static uint64_t
cost_of_octets(const struct job *j)
{
	return 1 + j->request.len / 64;
}

/* The next one into the batch.  False: no more go into it; *is_broken: nor is it of any use now. */
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

/* So many updates, the first of those that wait, are done with as far as a limit goes. */
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

/* They wait again; the first `limit` of them make the next batch, and so on to the last. */
static void
put_back_limited(struct updater *u, size_t limit)
{
	u->limited_n = u->limited_n > u->pending.n ? u->limited_n : u->pending.n;
	u->limit = limit;
	updater_put_back(u);
}

void
updater_split(struct updater *u, bool is_pushed, unsigned rcode, int ede, const char *text)
{
	size_t n = u->pending.n;
	if (n > 1 && (!is_pushed || u->splits < UPDATE_SPLITS_MAX)) {
		u->splits += is_pushed;
		put_back_limited(u, n / 2);
		return;
	}
	batch_free(&u->batch);
	updater_answer_all(u, &u->pending, rcode, ede, "%s", text);
	count_limited(u, n);
	if (u->splits == UPDATE_SPLITS_MAX) {
		u->limit = 0; /* all that is left of it, for the last time */
	}
}

/* There is no memory for a batch at all. */
static void
refuse_next(struct updater *u)
{
	struct job *j = updater_take_next(u);
	u->are_serials_due = false; /* the next commit says it again, or an update writes it */
	if (j == NULL || (update_task_open(&j->task, primary_view(u->conf.primary)) == OK && updater_is_repeated(u, j))) {
		return;
	}
	update_task_settle(&j->task, RCODE_SERVFAIL, EDE_OTHER, "no memory");
	updater_answer(u, j);
}

/* Makes the batch, and takes updates into it until it is full; is_broken: as of add_next(). */
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
	if (is_broken && u->pending.n == 0) { /* by the update that is first now */
		jobs_append(&u->pending, jobs_take(&u->queue));
		updater_split(u, false, RCODE_SERVFAIL, EDE_OTHER, "the update is too large, or there is no memory");
	} else if (is_broken) { /* by the one that comes after these */
		put_back_limited(u, u->pending.n);
	}
	return u->batch != NULL && !is_broken && (u->pending.n != 0 || u->serials_put_n != 0);
}
