#include "auth/updater_p.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/wire.h"

/* ---- a batch is pushed ---- */

static bool
send_push(struct updater *u)
{
	struct updater_push p = {
		.message = batch_message(u->batch), .base = primary_view(u->conf.primary)->commit,
		.again = u->is_unknown ? u->unknown : NULL, .made_s = u->made_s,
	};
	p.files = batch_files(u->batch, &p.n);
	snprintf(u->base, sizeof u->base, "%s", p.base);
	return u->conf.io.push(u->conf.io.ctx, &p);
}

static void
begin_pull(struct updater *u)
{
	u->state = UPDATER_PULLING;
	u->conf.io.pull(u->conf.io.ctx, false);
}

/* What was read is of a commit that is gone, or nobody can take the push. */
static void
begin_anew(struct updater *u)
{
	updater_put_back(u);
	u->state = UPDATER_PULLING;
	if (!u->conf.io.is_pull_coming(u->conf.io.ctx)) {
		u->conf.io.pull(u->conf.io.ctx, false);
	}
}

/* In sum nothing changes; whoever else pushes may have changed that. */
static void
ask_whether_idle(struct updater *u)
{
	batch_free(&u->batch);
	u->is_idle = true;
	begin_pull(u);
}

static void
drop_serials(struct updater *u, const char *why)
{
	updater_say(u, &(struct updater_report){ .event = UPDATER_SERIAL_NOT_WRITTEN, .text = why });
	updater_drop_put_serials(u);
	updater_put_back(u);
}

static void
fail_all(struct updater *u, int ede, const char *why)
{
	batch_free(&u->batch);
	u->are_serials_due = false;
	updater_answer_all(u, &u->pending, RCODE_SERVFAIL, ede, "%s", why);
}

/* The batch is whole: what does it come to? */
static void
prepare(struct updater *u)
{
	char text[UPDATE_ANSWER_TEXT_MAX] = "";
	unsigned rcode = RCODE_SERVFAIL;
	int ede = EDE_OTHER;
	u->times.evaluated_ns = updater_time(u).mono_ns;
	err_t err = batch_prepare(u->batch, &rcode, &ede, text);
	u->times.edited_ns = updater_time(u).mono_ns;
	if (err == OK && send_push(u)) {
		u->state = UPDATER_PUSHING;
	} else if (err == OK || err == E_STALE) {
		begin_anew(u);
	} else if (err == E_NOTFOUND) {
		ask_whether_idle(u);
	} else if (err == E_REFUSED && u->serials_put_n != 0) {
		drop_serials(u, text);
	} else if (err == E_REFUSED) {
		updater_split(u, false, rcode, ede, text);
	} else {
		fail_all(u, EDE_OTHER, err_str(err));
	}
}

/* ---- when there is something to do ---- */

static bool
is_ready(const struct updater *u)
{
	return u->state == UPDATER_IDLE && (updater_is_any_waiting(u) || (u->serials_n != 0 && u->are_serials_due));
}

/* Does something wait that could be worked out now?  What people may be pushing goes first: said once for each such moment. */
static bool
is_held(struct updater *u)
{
	uint64_t now_ms = updater_time_ms(u);
	unsigned wait_ms = quiet_wait(&u->quiet, now_ms);
	if (wait_ms != 0 && !u->is_held) {
		const char *why = quiet_is_anybody_expected(&u->quiet, now_ms) ? "people push beside updates that come without pause"
		                                                               : "updates have come without pause for minutes";
		const struct updater_report r = {
			.event = UPDATER_PAUSES, .updates = u->queue.n + u->lines.n, .wait_ms = wait_ms, .text = why,
		};
		updater_say(u, &r);
	}
	u->is_held = wait_ms != 0;
	u->was_held |= u->is_held;
	return u->is_held;
}

static void
work(struct updater *u)
{
	if (!is_ready(u) || is_held(u)) {
		return;
	}
	if (u->was_held) { /* it may have served its purpose; to find that out by a push that fails takes longer */
		u->was_held = false;
		begin_pull(u);
	} else {
		quiet_begin(&u->quiet, updater_time_ms(u));
		u->times.begin_ns = updater_time(u).mono_ns;
		if (updater_gather(u)) {
			prepare(u);
		} else {
			batch_free(&u->batch);
		}
	}
}

void
updater_go_on(struct updater *u, bool is_pulling)
{
	if (u->state == UPDATER_LOST) {
		updater_answer_waiting(u, true, "the git process is gone, and oprimary needs a restart");
	} else if (u->away[0] != '\0') {
		updater_answer_waiting(u, true, u->away);
	} else if (!is_pulling) {
		work(u);
	}
}

int
updater_wait_ms(struct updater *u)
{
	return is_ready(u) && u->away[0] == '\0' ? (int)quiet_wait(&u->quiet, updater_time_ms(u)) : -1;
}

void
updater_note_signed(struct updater *u, const char *key, size_t len, uint64_t signed_s)
{
	struct name name;
	if (!u->is_past_known && name_parse(key, len, name_root, &name) == OK) {
		(void)!replay_note(u->replay, name.len > 1 ? name.oct : NULL, signed_s);
	}
}

/* ---- what became of pushes ---- */

static unsigned
us(uint64_t from_ns, uint64_t to_ns)
{
	return (unsigned)((to_ns - from_ns) / 1000);
}

static void
report_pushed(struct updater *u, const struct updater_pushed *p, size_t updates)
{
	const struct updater_times *t = &u->times;
	uint64_t now_ns = updater_time(u).mono_ns;
	const struct updater_report r = {
		.event = UPDATER_PUSHED, .commit = p->commit, .updates = updates,
		.took = {
			.evaluate_us = us(t->begin_ns, t->evaluated_ns),
			.edit_us = us(t->evaluated_ns, t->edited_ns),
			.commit_us = p->commit_us,
			.push_us = p->push_us,
			.publish_us = us(t->pushed_ns, now_ns),
			.total_us = us(t->begin_ns, now_ns),
		},
	};
	updater_say(u, &r);
}

/* In git, but not in what is served: the commit is to be told as any other. */
static void
pull_all(struct updater *u, const char *why)
{
	updater_say(u, &(struct updater_report){ .event = UPDATER_NOT_TAKEN_OVER, .text = why });
	u->state = UPDATER_PULLING;
	u->conf.io.pull(u->conf.io.ctx, true);
}

/* Their fate is known by now. */
static void
settle_unknown(struct updater *u)
{
	u->is_unknown = false;
	u->away[0] = '\0';
	u->pushes = 0;
}

static err_t
publish(struct updater *u, const char *commit)
{
	const struct view *next;
	struct discard *old;
	if (u->batch == NULL) { /* another commit came meanwhile, on which the push should have failed */
		return E_STALE;
	}
	TRY(u->conf.io.reserve(u->conf.io.ctx));
	TRY(batch_accept(u->batch, commit, &next, &old));
	updater_drop_put_serials(u);
	u->conf.io.publish(u->conf.io.ctx, next, old);
	return OK;
}

void
updater_on_pushed(struct updater *u, const struct updater_pushed *p)
{
	size_t updates = u->pending.n;
	u->times.pushed_ns = updater_time(u).mono_ns;
	u->state = UPDATER_IDLE;
	settle_unknown(u);
	quiet_pushed(&u->quiet, updater_time_ms(u));
	updater_count(&u->stats.commits);
	if (publish(u, p->commit) != OK) {
		pull_all(u, "no memory, or the git side is out of step");
	}
	batch_free(&u->batch);
	updater_answer_all(u, &u->pending, RCODE_NOERROR, EDE_NONE, "%s", "");
	report_pushed(u, p, updates);
	updater_count_good(u, updates);
}

/* Once more, on the head that a pull brings: those for which it has not been tried too often.  `why`: what was in the way. */
static void
try_again(struct updater *u, const char *why)
{
	struct jobs again = { 0 };
	for (struct job *j; (j = jobs_take(&u->pending)) != NULL;) {
		if (++j->tries < UPDATE_TRIES_MAX) {
			updater_count(&u->stats.again);
			jobs_append(&again, j);
		} else {
			update_task_settle(&j->task, RCODE_SERVFAIL, EDE_OTHER, "not written after %d tries: %s", UPDATE_TRIES_MAX, why);
			updater_answer(u, j);
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
on_refused(struct updater *u, const struct updater_push_failure *f)
{
	char text[UPDATE_ANSWER_TEXT_MAX];
	int ede = ede_of(f->status);
	updater_say(u, &(struct updater_report){ .event = UPDATER_PUSH_FAILED, .updates = u->pending.n, .text = f->text });
	update_text_put(text, "not written to the repository: %s", f->text);
	u->are_serials_due = false;
	u->state = UPDATER_IDLE;
	if (is_about_content(f->status)) {
		updater_split(u, true, RCODE_SERVFAIL, ede, text);
	} else {
		fail_all(u, ede, text);
	}
}

/* The batch is kept: its commit may have to be pushed again as it is. */
static void
on_unclear(struct updater *u, const struct updater_push_failure *f)
{
	const struct updater_report r = {
		.event = UPDATER_PUSH_UNCLEAR, .commit = f->commit, .updates = u->pending.n, .text = f->text,
	};
	updater_say(u, &r);
	u->is_unknown = true;
	snprintf(u->unknown, sizeof u->unknown, "%s", f->commit);
	begin_pull(u);
}

void
updater_on_push_failed(struct updater *u, const struct updater_push_failure *f)
{
	if (f->status == E_STALE) {
		batch_free(&u->batch);
		try_again(u, f->text);
		begin_pull(u);
	} else if (f->status == E_UNKNOWN) {
		on_unclear(u, f);
	} else {
		on_refused(u, f);
	}
}

/* ---- what became of pulls ---- */

void
updater_before_commit(struct updater *u)
{
	batch_free(&u->batch); /* the PUSH, if one is on its way, will be E_STALE */
}

static bool
is_too_late(const struct updater *u)
{
	const struct job *j = u->pending.first;
	return j != NULL && (updater_time(u).mono_ns - j->request.arrived_ns) / 1000000000u > UPDATE_UNKNOWN_MAX_S;
}

static void
forget_unknown(struct updater *u)
{
	batch_free(&u->batch);
	updater_forget_all(u, &u->pending);
	settle_unknown(u);
	u->state = UPDATER_IDLE;
}

/* The branch is where it was: the remote may still be about to take the commit.  The same one again does no harm then, and is as
 * good as the first. */
static void
push_again(struct updater *u)
{
	if (u->batch == NULL || is_too_late(u) || ++u->pushes > UPDATE_PUSHES_MAX || !send_push(u)) {
		forget_unknown(u);
	} else {
		u->state = UPDATER_PUSHING;
	}
}

/* Those whose fate is not known, once the remote was seen again. */
static void
find_out(struct updater *u, const struct updater_pull *p)
{
	u->away[0] = '\0';
	if (p->has_pushed) {
		batch_free(&u->batch);
		updater_answer_all(u, &u->pending, RCODE_NOERROR, EDE_NONE, "%s", "");
		settle_unknown(u);
		u->state = UPDATER_IDLE;
	} else if (p->end == UPDATER_PULL_COMMIT && strcmp(p->commit, u->base) != 0) { /* it has moved: nothing can come of the push now */
		try_again(u, "others push to the repository all the time");
		settle_unknown(u);
		u->state = UPDATER_IDLE;
	} else {
		push_again(u);
	}
}

/* The remote is not reached: what was to be tried again is not; what is not known stays so for a while. */
static void
give_up(struct updater *u, const struct updater_pull *p)
{
	if (!u->is_unknown) {
		updater_answer_waiting(u, false, p->text);
		u->state = UPDATER_IDLE;
	} else if (p->has_no_branch) {
		push_again(u);
	} else if (is_too_late(u)) {
		forget_unknown(u);
	} else {
		update_text_put(u->away, "%s", p->text);
	}
}

/* Those that change nothing, once it is known on which head. */
static void
find_idle(struct updater *u, const struct updater_pull *p)
{
	u->is_idle = false;
	if (p->end == UPDATER_PULL_UPTODATE) {
		updater_count_good(u, u->pending.n);
		updater_answer_all(u, &u->pending, RCODE_NOERROR, EDE_NONE, "%s", "");
	} else if (p->end == UPDATER_PULL_COMMIT) {
		try_again(u, "others push to the repository all the time");
	} else {
		updater_put_back(u);
	}
}

/* Was it seen where the remote's branch is now? */
static bool
is_of_remote(const struct updater_pull *p)
{
	return p->end != UPDATER_PULL_FAILED && !p->is_from_cache;
}

static void
end_pulling(struct updater *u, const struct updater_pull *p)
{
	if (p->end == UPDATER_PULL_FAILED) {
		give_up(u, p);
	} else if (is_of_remote(p) && u->is_unknown) {
		find_out(u, p);
	} else if (is_of_remote(p)) {
		u->state = UPDATER_IDLE;
	}
}

void
updater_after_pull(struct updater *u, const struct updater_pull *p)
{
	u->are_serials_due |= is_of_remote(p);
	u->is_past_known |= is_of_remote(p);
	if (p->end == UPDATER_PULL_COMMIT && p->is_of_people) {
		quiet_others_pushed(&u->quiet, updater_time_ms(u));
	}
	if (u->is_idle && (is_of_remote(p) || p->end == UPDATER_PULL_FAILED)) {
		find_idle(u, p);
	}
	if (u->state == UPDATER_PULLING) {
		end_pulling(u, p);
	}
}

/* ---- the git side's life ---- */

void
updater_on_death(struct updater *u)
{
	batch_free(&u->batch);
	if (u->state == UPDATER_PUSHING || u->is_unknown) {
		updater_forget_all(u, &u->pending); /* the next process does not know what this one was about to do */
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
}

/* ---- from outside ---- */

void
updater_add(struct updater *u, const struct updater_request *r)
{
	struct job *j = try_alloc(sizeof *j);
	if (j == NULL || lines_put(&u->lines, r->key->oct, &j->turn) != OK) {
		free(j);
		u->conf.io.answer(u->conf.io.ctx, r->handle, NULL, 0);
		return;
	}
	j->request = *r;
	update_task_init(&j->task, r->bytes, r->len, r->peer, r->arrived_s);
}

struct updater *
updater_new(const struct updater_conf *conf)
{
	struct updater *u = xalloc(sizeof *u);
	u->conf = *conf;
	u->replay = replay_new();
	return u;
}

void
updater_free(struct updater **up)
{
	struct updater *u = *up;
	if (u == NULL) {
		return;
	}
	batch_free(&u->batch);
	updater_forget_all(u, &u->pending);
	for (struct job *j; (j = updater_take_next(u)) != NULL;) {
		updater_forget(u, j, &u->stats.unanswered);
	}
	lines_fini(&u->lines);
	replay_free(&u->replay);
	free(u->serials);
	free(u);
	*up = NULL;
}

const struct updater_stats *
updater_stats(const struct updater *u)
{
	return &u->stats;
}

size_t
updater_request_octets(void)
{
	return sizeof(struct job);
}
