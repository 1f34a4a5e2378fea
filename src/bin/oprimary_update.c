#include "bin/oprimary_update.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bin/oprimary_jobs.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "net/listen.h"
#include "ops/clock.h"
#include "zone/history.h"

static void
count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

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

/* Sends the answer that the task has, and is done with the job. */
static void
answer(struct updater *u, struct job *j)
{
	struct update_task *t = &j->task;
	size_t len = update_task_answer(t, u->conf, clock_wall_s(), u->wire, sizeof u->wire);
	if (j->seen != NULL) {
		replay_settle(u->replay, j->seen, t->rcode, t->rcode == RCODE_NOERROR);
	}
	return_path_send(&j->item->from, u->wire, len);
	count(t->rcode == RCODE_NOERROR ? &u->stats.updates : t->rcode == RCODE_SERVFAIL ? &u->stats.failed : &u->stats.refused);
	log_refusal(u, j);
	job_free(u, j);
}

[[gnu::format(printf, 5, 6)]] static void
answer_all(struct updater *u, struct jobs *q, unsigned rcode, int ede, const char *format, ...)
{
	char text[UPDATE_ANSWER_TEXT_MAX];
	va_list args;
	va_start(args, format);
	update_text_vput(text, format, args);
	va_end(args);
	for (struct job *j; (j = jobs_take(q)) != NULL;) {
		update_task_settle(&j->task, rcode, ede, "%s", text);
		answer(u, j);
	}
}

/* Without an answer: where the truth is not known, silence says as much. */
static void
forget(struct updater *u, struct job *j, _Atomic uint64_t *counter)
{
	if (j->seen != NULL) {
		replay_lose(u->replay, j->seen);
	}
	return_path_send(&j->item->from, NULL, 0);
	count(counter);
	job_free(u, j);
}

static void
forget_all(struct updater *u, struct jobs *q)
{
	for (struct job *j; (j = jobs_take(q)) != NULL;) {
		forget(u, j, &u->stats.unanswered);
	}
}

/* ---- a batch is gathered ---- */

/* Those of the batch under way wait again, before all others. */
static void
put_back(struct updater *u)
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

/* Has it come before?  Then it has the answer of the first, or none yet, and the job is done. */
static bool
is_repeated(struct updater *u, struct job *j)
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
		forget(u, j, &u->stats.repeated);
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
	answer(u, j);
	return true;
}

static bool
is_any_waiting(const struct updater *u)
{
	return u->queue.n + u->lines.n != 0;
}

/* NULL: none waits. */
static struct job *
take_next(struct updater *u)
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
	struct job *j = take_next(u);
	uint64_t cost = batch_cost(u->batch);
	enum batch_taken taken = BATCH_SETTLED;
	err_t err = update_task_open(&j->task, primary_view(u->primary));
	if (err == E_NOMEM) {
		update_task_settle(&j->task, RCODE_SERVFAIL, EDE_OTHER, "no memory");
	} else if (err == OK && is_repeated(u, j)) {
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
		answer(u, j);
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

/* So many have done well.  When the remote has refused none of them, the one in the way has been found: the next parts are larger. */
static void
count_good(struct updater *u, size_t n)
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
	put_back(u);
}

/* A batch that failed as a whole may do in parts: one of it may spoil it for all.  Of one update that is the end.  is_pushed: it has
 * failed at the remote; then it is not tried for ever, and what is left fails together. */
static void
split(struct updater *u, bool is_pushed, unsigned rcode, int ede, const char *text)
{
	size_t n = u->pending.n;
	if (n > 1 && (!is_pushed || u->splits < UPDATE_SPLITS_MAX)) {
		u->splits += is_pushed;
		put_back_limited(u, n / 2);
		return;
	}
	batch_free(&u->batch);
	answer_all(u, &u->pending, rcode, ede, "%s", text);
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

/* False: there is nothing to prepare. */
static bool
gather(struct updater *u)
{
	bool is_broken = false;
	size_t limit = u->limit != 0 ? u->limit : BATCH_TASKS_MAX;
	u->source = (struct source_commit){ .ctx = u->asker, .open = asker_open, .close = asker_close };
	asker_begin(u->asker);
	u->made_s = clock_wall_s();
	u->batch = batch_new(u->primary, &u->source, u->made_s);
	add_serials(u);
	while (is_any_waiting(u) && u->pending.n < limit && !batch_is_full(u->batch) && add_next(u, &is_broken)) {
	}
	if (is_broken && u->pending.n == 0) { /* by the update that is first now */
		jobs_append(&u->pending, jobs_take(&u->queue));
		split(u, false, RCODE_SERVFAIL, EDE_OTHER, "the update is too large, or there is no memory");
	} else if (is_broken) { /* by that which comes after these */
		put_back_limited(u, u->pending.n);
	}
	return !is_broken && (u->pending.n != 0 || u->serials_n != 0);
}

/* ---- and pushed ---- */

static err_t
send_push(struct updater *u)
{
	struct link_build build = { 0 };
	struct link_frame f = { .type = LINK_PUSH, .now_s = u->made_s, .fd = -1 };
	size_t n;
	const struct batch_file *files = batch_files(u->batch, &n);
	const char *message = batch_message(u->batch);
	link_build_put(&build, LINK_ENTRY_MESSAGE, "", 0, message, strlen(message));
	for (size_t i = 0; i < n; i++) {
		link_build_put(&build, files[i].text != NULL ? LINK_ENTRY_PUT : LINK_ENTRY_REMOVE, files[i].path, strlen(files[i].path),
		               files[i].text, files[i].len);
	}
	err_t err = link_build_seal(&build, &f.fd, &f.n);
	link_build_fini(&build);
	TRY(err);
	memcpy(f.id, primary_view(u->primary)->commit, sizeof f.id);
	if (u->is_unknown) {
		f.flags = LINK_AGAIN;
		memcpy(f.text, u->unknown, sizeof u->unknown);
	}
	err = link_send(u->git->link, &f);
	close(f.fd);
	return err;
}

static void
begin_pull(struct updater *u)
{
	u->state = UPDATER_PULLING;
	puller_want(u->puller, PULL_FOR_UPDATE);
}

/* The batch is whole: what does it come to? */
static void
prepare(struct updater *u)
{
	char text[UPDATE_ANSWER_TEXT_MAX] = "";
	unsigned rcode = RCODE_SERVFAIL;
	int ede = EDE_OTHER;
	u->times.evaluated_ns = clock_ns();
	err_t err = batch_prepare(u->batch, &rcode, &ede, text);
	u->times.edited_ns = clock_ns();
	if (err == OK) {
		err = send_push(u) == OK ? OK : E_STALE; /* the process is gone, or there is no memory for what it is to push */
	}
	switch (err) {
	case OK:
		u->state = UPDATER_PUSHING;
		break;
	case E_NOTFOUND: /* in sum nothing changes; whoever else pushes may have changed that */
		batch_free(&u->batch);
		u->is_idle = true;
		begin_pull(u);
		break;
	case E_STALE:
		put_back(u);
		u->state = UPDATER_PULLING;
		if (!u->asker->is_pull_coming) {
			puller_want(u->puller, PULL_FOR_UPDATE);
		}
		break;
	case E_REFUSED:
		if (u->serials_n == 0) {
			split(u, false, rcode, ede, text);
			break;
		}
		log_event(u->log, LOG_LEVEL_WARNING, "serial-not-written", "why=%s", text);
		u->serials_n = 0;
		put_back(u);
		break;
	default:
		batch_free(&u->batch);
		u->are_serials_due = false;
		answer_all(u, &u->pending, RCODE_SERVFAIL, EDE_OTHER, "%s", err_str(err));
	}
}

/* All that wait, or those of them that have been worked out before. */
static void
answer_waiting(struct updater *u, bool all, const char *why)
{
	struct jobs rest = { 0 };
	for (struct job *j; (j = all ? take_next(u) : jobs_take(&u->queue)) != NULL;) {
		if (!all && j->seen == NULL) {
			jobs_append(&rest, j);
			continue;
		}
		if (update_task_open(&j->task, primary_view(u->primary)) == OK) {
			if (is_repeated(u, j)) {
				continue;
			}
			update_task_settle(&j->task, RCODE_SERVFAIL, EDE_NETWORK_ERROR, "the repository is not reached: %s", why);
		}
		answer(u, j);
	}
	u->queue = rest;
}

static void
take_inbox(struct updater *u)
{
	for (struct inbox_item *item = inbox_take_all(u->inbox), *next; item != NULL; item = next) {
		struct job *j = xalloc(sizeof *j);
		next = item->next;
		j->item = item;
		update_task_init(&j->task, item->bytes, item->len, &item->from.peer, item->arrived_s);
		lines_put(&u->lines, item->key.oct, &j->turn);
	}
}

static bool
is_ready(const struct updater *u)
{
	return u->state == UPDATER_IDLE && (is_any_waiting(u) || (u->serials_n != 0 && u->are_serials_due));
}

/* Does something wait that could be worked out now?  What people may be pushing goes first: said once for each such moment. */
static bool
is_held(struct updater *u)
{
	uint64_t now_ms = clock_ms();
	unsigned wait_ms = quiet_wait(&u->quiet, now_ms);
	if (wait_ms != 0 && !u->is_held) {
		const char *why = quiet_is_anybody_expected(&u->quiet, now_ms) ? "people push beside updates that come without pause"
		                                                               : "updates have come without pause for minutes";
		log_event(u->log, LOG_LEVEL_INFO, "updates-pause", "ms=%u waiting=%u why=%s", wait_ms, inbox_stats(u->inbox).waiting, why);
	}
	u->is_held = wait_ms != 0;
	return u->is_held;
}

static void
work(struct updater *u)
{
	if (is_ready(u) && !is_held(u)) {
		quiet_begin(&u->quiet, clock_ms());
		u->times.begin_ns = clock_ns();
		if (gather(u)) {
			prepare(u);
		} else {
			batch_free(&u->batch);
		}
	}
}

void
updater_go_on(struct updater *u)
{
	take_inbox(u);
	puller_go_on(u->puller);
	if (u->state == UPDATER_LOST) {
		answer_waiting(u, true, "the git process is gone, and oprimary needs a restart");
	} else if (u->away[0] != '\0') {
		answer_waiting(u, true, u->away);
	} else if (!puller_is_pulling(u->puller)) {
		work(u);
	}
}

int
updater_wait_ms(struct updater *u)
{
	bool is_going_on = is_ready(u) && u->away[0] == '\0' && !puller_is_pulling(u->puller);
	return is_going_on ? (int)quiet_wait(&u->quiet, clock_ms()) : -1;
}

void
updater_add_serial(struct updater *u, const uint8_t *apex, uint32_t serial)
{
	u->serials = xrealloc(u->serials, (u->serials_n + 1) * sizeof *u->serials);
	struct stuck_serial *s = &u->serials[u->serials_n++];
	name_set(&s->apex, apex);
	s->serial = serial;
	u->are_serials_due = true;
}

void
updater_note_signed(struct updater *u, const char *key, size_t len, uint64_t signed_s)
{
	struct name name;
	if (!u->is_past_known && name_parse(key, len, name_root, &name) == OK) {
		(void)!replay_note(u->replay, name.len > 1 ? name.oct : NULL, signed_s);
	}
}

bool
updater_is_serial_coming(const struct updater *u, const struct zone *z)
{
	bool is_possible = u->are_serials_due && u->away[0] == '\0' && u->state != UPDATER_LOST && !z->is_signed;
	if (!is_possible || !history_is_serial_stuck(z) || u->serials_n > UPDATE_SERIALS_LOOKED_AT) {
		return false;
	}
	for (size_t i = 0; i < u->serials_n; i++) {
		if (u->serials[i].serial == z->serial && name_is_equal(u->serials[i].apex.oct, z->apex_name)) {
			return true;
		}
	}
	return false;
}

/* ---- what becomes of it ---- */

static unsigned
us(uint64_t from_ns, uint64_t to_ns)
{
	return (unsigned)((to_ns - from_ns) / 1000);
}

static void
log_pushed(const struct updater *u, const struct link_frame *f, size_t updates)
{
	const struct updater_times *t = &u->times;
	log_event(u->log, LOG_LEVEL_INFO, "commit-pushed",
	          "commit=%s updates=%zu evaluate_us=%u edit_us=%u commit_us=%u push_us=%u publish_us=%u total_us=%u", f->id, updates,
	          us(t->begin_ns, t->evaluated_ns), us(t->evaluated_ns, t->edited_ns), f->commit_us, f->push_us,
	          us(t->pushed_ns, clock_ns()), us(t->begin_ns, clock_ns()));
}

/* In git, but not in what is served: the commit is to be told as any other. */
static void
pull_all(struct updater *u, const char *why)
{
	log_event(u->log, LOG_LEVEL_ERROR, "commit-not-taken-over", "text=%s hint=%s", why, "everything is read again");
	puller_want_whole(u->puller);
	u->state = UPDATER_PULLING;
}

/* Their fate is known by now. */
static void
settle_unknown(struct updater *u)
{
	u->is_unknown = false;
	u->away[0] = '\0';
	u->pushes = 0;
}

void
updater_on_pushed(struct updater *u, const struct link_frame *f)
{
	const struct view *next;
	struct discard *old;
	size_t updates = u->pending.n;
	u->times.pushed_ns = clock_ns();
	u->state = UPDATER_IDLE;
	settle_unknown(u);
	quiet_pushed(&u->quiet, clock_ms());
	count(&u->stats.commits);
	if (u->batch == NULL || batch_accept(u->batch, f->id, &next, &old) != OK) {
		pull_all(u, "no memory, or the git side is out of step");
	} else {
		u->serials_n = 0;
		served_publish(u->served, next, old);
		u->changed(u->ctx);
	}
	batch_free(&u->batch);
	answer_all(u, &u->pending, RCODE_NOERROR, EDE_NONE, "%s", "");
	log_pushed(u, f, updates);
	count_good(u, updates);
	updater_go_on(u);
}

/* Once more, on the head that a pull brings: those for which it has not been tried too often.  `why`: what was in the way. */
static void
try_again(struct updater *u, const char *why)
{
	struct jobs again = { 0 };
	for (struct job *j; (j = jobs_take(&u->pending)) != NULL;) {
		if (++j->tries < UPDATE_TRIES_MAX) {
			count(&u->stats.again);
			jobs_append(&again, j);
		} else {
			update_task_settle(&j->task, RCODE_SERVFAIL, EDE_OTHER, "not written after %d tries: %s", UPDATE_TRIES_MAX, why);
			answer(u, j);
		}
	}
	jobs_put_before(&u->queue, &again);
}

static int
ede_of(err_t status)
{
	return status == E_REFUSED || status == E_AUTH ? EDE_PROHIBITED
	       : status == E_IO || status == E_TIMEOUT ? EDE_NETWORK_ERROR
	                                               : EDE_OTHER;
}

/* A hook, a rule of the branch, a limit: it is about what is in the commit. */
static bool
is_about_content(err_t status)
{
	return status == E_REFUSED || status == E_LIMIT || status == E_EXISTS || status == E_FORMAT;
}

static void
on_refused(struct updater *u, const struct link_frame *f)
{
	char text[UPDATE_ANSWER_TEXT_MAX];
	int ede = ede_of((err_t)f->status);
	log_event(u->log, LOG_LEVEL_ERROR, "push-failed", "updates=%zu text=%s serving=last-good", u->pending.n, f->text);
	update_text_put(text, "not written to the repository: %s", f->text);
	u->are_serials_due = false;
	u->state = UPDATER_IDLE;
	if (is_about_content((err_t)f->status)) {
		split(u, true, RCODE_SERVFAIL, ede, text);
	} else {
		batch_free(&u->batch);
		answer_all(u, &u->pending, RCODE_SERVFAIL, ede, "%s", text);
	}
	updater_go_on(u);
}

void
updater_on_push_failed(struct updater *u, const struct link_frame *f)
{
	switch (f->status) {
	case E_STALE:
		batch_free(&u->batch);
		try_again(u, f->text);
		begin_pull(u);
		break;
	case E_UNKNOWN: /* the batch is kept: its commit may have to be pushed again as it is */
		log_event(u->log, LOG_LEVEL_WARNING, "push-unclear", "commit=%s updates=%zu text=%s", f->id, u->pending.n, f->text);
		u->is_unknown = true;
		memcpy(u->unknown, f->id, sizeof u->unknown);
		begin_pull(u);
		break;
	default:
		on_refused(u, f);
	}
}

void
updater_before_commit(struct updater *u)
{
	batch_free(&u->batch); /* the PUSH, if one is on its way, will be E_STALE */
}

static bool
is_too_late(const struct updater *u)
{
	const struct job *j = u->pending.first;
	return j != NULL && (clock_ns() - j->item->arrived_ns) / 1000000000u > UPDATE_UNKNOWN_MAX_S;
}

static void
forget_unknown(struct updater *u)
{
	batch_free(&u->batch);
	forget_all(u, &u->pending);
	settle_unknown(u);
	u->state = UPDATER_IDLE;
}

/* The branch is where it was: the remote may still be about to take the commit.  The same one again does no harm then, and is as
 * good as the first. */
static void
push_again(struct updater *u)
{
	if (u->batch == NULL || is_too_late(u) || ++u->pushes > UPDATE_PUSHES_MAX || send_push(u) != OK) {
		forget_unknown(u);
	} else {
		u->state = UPDATER_PUSHING;
	}
}

/* Those whose fate is not known, once the remote was seen again. */
static void
find_out(struct updater *u, const struct link_frame *f)
{
	u->away[0] = '\0';
	if ((f->flags & LINK_HAS_PUSHED) != 0) {
		batch_free(&u->batch);
		answer_all(u, &u->pending, RCODE_NOERROR, EDE_NONE, "%s", "");
		settle_unknown(u);
		u->state = UPDATER_IDLE;
	} else if (f->type == LINK_COMMIT) { /* nothing can come of it any more: the branch has moved */
		try_again(u, "others push to the repository all the time");
		settle_unknown(u);
		u->state = UPDATER_IDLE;
	} else {
		push_again(u);
	}
}

/* The remote is not reached: what was to be tried again is not; what is not known stays so for a while. */
static void
give_up(struct updater *u, const struct link_frame *f)
{
	if (!u->is_unknown) {
		answer_waiting(u, false, f->text);
		u->state = UPDATER_IDLE;
	} else if ((f->flags & LINK_NO_BRANCH) != 0) {
		push_again(u);
	} else if (is_too_late(u)) {
		forget_unknown(u);
	} else {
		update_text_put(u->away, "%s", f->text);
	}
}

/* Those that change nothing, once it is known on which head. */
static void
find_idle(struct updater *u, const struct link_frame *f)
{
	u->is_idle = false;
	if (f->type == LINK_UPTODATE) {
		count_good(u, u->pending.n);
		answer_all(u, &u->pending, RCODE_NOERROR, EDE_NONE, "%s", "");
	} else if (f->type == LINK_COMMIT) {
		try_again(u, "others push to the repository all the time");
	} else {
		put_back(u);
	}
}

void
updater_after_pull(struct updater *u, const struct link_frame *f)
{
	bool is_of_remote = f->type != LINK_FAILED && (f->flags & LINK_FROM_CACHE) == 0;
	u->are_serials_due |= is_of_remote;
	u->is_past_known |= is_of_remote;
	if (f->type == LINK_COMMIT && (f->flags & LINK_OF_PEOPLE) != 0) {
		quiet_others_pushed(&u->quiet, clock_ms());
	}
	if (u->is_idle && (is_of_remote || f->type == LINK_FAILED)) {
		find_idle(u, f);
	}
	if (u->state == UPDATER_PULLING && f->type == LINK_FAILED) {
		give_up(u, f);
	} else if (u->state == UPDATER_PULLING && is_of_remote && u->is_unknown) {
		find_out(u, f);
	} else if (u->state == UPDATER_PULLING && is_of_remote) {
		u->state = UPDATER_IDLE;
	}
	take_inbox(u);
	if (u->away[0] != '\0') {
		answer_waiting(u, true, u->away);
	}
	work(u);
}

void
updater_on_death(struct updater *u)
{
	batch_free(&u->batch);
	if (u->state == UPDATER_PUSHING || u->is_unknown) {
		forget_all(u, &u->pending); /* the next process does not know what this one was about to do */
	}
	jobs_put_before(&u->queue, &u->pending);
	settle_unknown(u);
	u->is_idle = false;
	u->state = UPDATER_PULLING; /* as each begins */
}

void
updater_on_absence(struct updater *u, const char *why)
{
	update_text_put(u->away, "%s", why);
	updater_go_on(u);
}

void
updater_on_return(struct updater *u)
{
	u->away[0] = '\0';
}

void
updater_on_loss(struct updater *u)
{
	u->state = UPDATER_LOST;
	jobs_put_before(&u->queue, &u->pending);
	updater_go_on(u);
}

void
updater_init(struct updater *u)
{
	u->replay = replay_new();
}

void
updater_fini(struct updater *u)
{
	batch_free(&u->batch);
	take_inbox(u);
	forget_all(u, &u->pending);
	forget_all(u, &u->queue);
	for (struct job *j; (j = take_next(u)) != NULL;) {
		forget(u, j, &u->stats.unanswered);
	}
	lines_fini(&u->lines);
	replay_free(&u->replay);
	free(u->serials);
}
