#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bin/oprimary_update_p.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "net/peer.h"
#include "ops/clock.h"

/* ---- answers ---- */

static void
job_free(struct updater *u, struct job *j)
{
	update_task_fini(&j->task);
	lines_done(&u->lines, &j->turn);
	inbox_give_back(u->inbox, j->item);
	free(j);
}

static void
log_refusal(struct updater *u, const struct job *j)
{
	const struct update_task *t = &j->task;
	enum log_level level = t->rcode == RCODE_SERVFAIL ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
	char from[PEER_TEXT_MAX], zone[NAME_TEXT_MAX], key[NAME_TEXT_MAX], rcode[RRTYPE_TEXT_MAX];
	if (t->rcode == RCODE_NOERROR || !log_is_on(u->log, level)) {
		return;
	}
	peer_print(&t->peer, from);
	name_print(update_task_zone(t), zone);
	name_print(j->item->key.oct, key);
	log_peer_event(u->log, LOG_BY_KEY, level, "update-refused", "from=%s zone=%s key=%s rcode=%s why=%s", from, zone, key,
	               rcode_print(t->rcode, false, rcode), t->text);
}

void
updater_answer(struct updater *u, struct job *j)
{
	struct update_task *t = &j->task;
	size_t len = update_task_answer(t, u->conf, clock_wall_s(), u->wire, sizeof u->wire);
	if (j->seen != NULL) {
		replay_settle(u->replay, j->seen, t->rcode, t->rcode == RCODE_NOERROR);
	}
	return_path_send(&j->item->from, u->wire, len);
	updater_count(t->rcode == RCODE_NOERROR ? &u->stats.updates : t->rcode == RCODE_SERVFAIL ? &u->stats.failed : &u->stats.refused);
	log_refusal(u, j);
	job_free(u, j);
}

[[gnu::format(printf, 5, 6)]] void
updater_answer_all(struct updater *u, struct jobs *q, unsigned rcode, int ede, const char *format, ...)
{
	char text[UPDATE_ANSWER_TEXT_MAX];
	va_list args;
	va_start(args, format);
	update_text_vput(text, format, args);
	va_end(args);
	for (struct job *j; (j = jobs_take(q)) != NULL;) {
		update_task_settle(&j->task, rcode, ede, "%s", text);
		updater_answer(u, j);
	}
}

void
updater_forget(struct updater *u, struct job *j, _Atomic uint64_t *counter)
{
	if (j->seen != NULL) {
		replay_lose(u->replay, j->seen);
	}
	return_path_send(&j->item->from, NULL, 0);
	updater_count(counter);
	job_free(u, j);
}

void
updater_forget_all(struct updater *u, struct jobs *q)
{
	for (struct job *j; (j = jobs_take(q)) != NULL;) {
		updater_forget(u, j, &u->stats.unanswered);
	}
}

/* ---- a batch is gathered ---- */

void
updater_put_back(struct updater *u)
{
	batch_free(&u->batch);
	jobs_put_before(&u->queue, &u->pending);
}

static err_t
look_up(struct updater *u, struct job *j, enum replay_state *state, unsigned *rcode)
{
	const struct update_task *t = &j->task;
	const struct replay_request q = {
		.key = t->key.name.oct, .mac = t->tsig.mac, .mac_len = t->tsig.mac_len, .signed_s = t->tsig.peer_time_s,
		.now_s = j->item->arrived_s, .mono_s = j->item->arrived_ns / 1000000000u,
	};
	return replay_take(u->replay, &q, state, rcode, &j->seen);
}

bool
updater_is_repeated(struct updater *u, struct job *j)
{
	enum replay_state state = REPLAY_NEW;
	unsigned rcode = RCODE_SERVFAIL;
	if (j->seen != NULL) {
		return false;
	}
	err_t err = look_up(u, j, &state, &rcode);
	if (err == OK && state == REPLAY_NEW) {
		return false;
	}
	if (err == OK && state == REPLAY_UNDER_WAY) {
		updater_forget(u, j, &u->stats.repeated);
		return true;
	}
	if (err != OK) {
		update_task_settle(&j->task, RCODE_SERVFAIL, EDE_OTHER, "no memory");
	} else if (state == REPLAY_DOUBTFUL) {
		update_task_settle(&j->task, RCODE_SERVFAIL, EDE_OTHER,
		                   "signed before others of this key that were carried out and are forgotten, and may be one of them: "
		                   "sign it anew");
	} else {
		update_task_settle(&j->task, rcode, EDE_NONE, "%s", "");
	}
	updater_answer(u, j);
	return true;
}

bool
updater_is_any_waiting(const struct updater *u)
{
	return u->queue.n + u->lines.n != 0;
}

struct job *
updater_take_next(struct updater *u)
{
	struct lines_item *turn = u->queue.n == 0 ? lines_take(&u->lines) : NULL;
	return turn != NULL ? job_of_item(turn) : jobs_take(&u->queue);
}

/* What it is to read and to verify an update, in the batch's units. */
static uint64_t
cost_of_octets(const struct job *j)
{
	return 1 + j->item->len / 64;
}

/* The next one into the batch.  False: no more go into it; *is_broken: nor is it of any use now. */
static bool
add_next(struct updater *u, bool *is_broken)
{
	struct job *j = updater_take_next(u);
	uint64_t cost = batch_cost(u->batch);
	enum batch_taken taken = BATCH_SETTLED;
	err_t err = update_task_open(&j->task, primary_view(u->primary));
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

static void
add_serials(struct updater *u)
{
	size_t kept = 0;
	for (size_t i = 0; i < u->serials_n; i++) {
		if (batch_add_serial(u->batch, u->serials[i].apex.oct, u->serials[i].serial) == OK) {
			u->serials[kept++] = u->serials[i];
		}
	}
	u->serials_n = kept;
}

bool
updater_gather(struct updater *u)
{
	bool is_broken = false;
	size_t limit = u->limit != 0 ? u->limit : BATCH_TASKS_MAX;
	u->source = (struct source_commit){ .ctx = u->asker, .open = asker_open, .close = asker_close };
	asker_begin(u->asker);
	u->made_s = clock_wall_s();
	u->batch = batch_new(u->primary, &u->source, u->made_s);
	add_serials(u);
	while (updater_is_any_waiting(u) && u->pending.n < limit && !batch_is_full(u->batch) && add_next(u, &is_broken)) {
	}
	if (is_broken && u->pending.n == 0) { /* by the update that is first now */
		jobs_append(&u->pending, jobs_take(&u->queue));
		updater_split(u, false, RCODE_SERVFAIL, EDE_OTHER, "the update is too large, or there is no memory");
	} else if (is_broken) { /* by that which comes after these */
		put_back_limited(u, u->pending.n);
	}
	return !is_broken && (u->pending.n != 0 || u->serials_n != 0);
}
