#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bin/oprimary_update_p.h"
#include "dns/wire.h"
#include "ops/clock.h"
#include "zone/history.h"

/* ---- a batch is pushed ---- */

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
		updater_put_back(u);
		u->state = UPDATER_PULLING;
		if (!u->asker->is_pull_coming) {
			puller_want(u->puller, PULL_FOR_UPDATE);
		}
		break;
	case E_REFUSED:
		if (u->serials_n == 0) {
			updater_split(u, false, rcode, ede, text);
			break;
		}
		log_event(u->log, LOG_LEVEL_WARNING, "serial-not-written", "why=%s", text);
		u->serials_n = 0;
		updater_put_back(u);
		break;
	default:
		batch_free(&u->batch);
		u->are_serials_due = false;
		updater_answer_all(u, &u->pending, RCODE_SERVFAIL, EDE_OTHER, "%s", err_str(err));
	}
}

/* All that wait, or those of them that have been worked out before. */
static void
answer_waiting(struct updater *u, bool all, const char *why)
{
	struct jobs rest = { 0 };
	for (struct job *j; (j = all ? updater_take_next(u) : jobs_take(&u->queue)) != NULL;) {
		if (!all && j->seen == NULL) {
			jobs_append(&rest, j);
			continue;
		}
		if (update_task_open(&j->task, primary_view(u->primary)) == OK) {
			if (updater_is_repeated(u, j)) {
				continue;
			}
			update_task_settle(&j->task, RCODE_SERVFAIL, EDE_NETWORK_ERROR, "the repository is not reached: %s", why);
		}
		updater_answer(u, j);
	}
	u->queue = rest;
}

static void
take_item(struct updater *u, struct inbox_item *item)
{
	struct job *j = try_alloc(sizeof *j);
	if (j == NULL || lines_put(&u->lines, item->key.oct, &j->turn) != OK) { /* its sender asks again */
		free(j);
		return_path_send(&item->from, NULL, 0);
		inbox_give_back(u->inbox, item);
		return;
	}
	j->item = item;
	update_task_init(&j->task, item->bytes, item->len, &item->from.peer, item->arrived_s);
}

static void
take_inbox(struct updater *u)
{
	for (struct inbox_item *item = inbox_take_all(u->inbox), *next; item != NULL; item = next) {
		next = item->next;
		take_item(u, item);
	}
}

static bool
is_ready(const struct updater *u)
{
	return u->state == UPDATER_IDLE && (updater_is_any_waiting(u) || (u->serials_n != 0 && u->are_serials_due));
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
		quiet_begin(&u->quiet, clock_ms());
		u->times.begin_ns = clock_ns();
		if (updater_gather(u)) {
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
	struct stuck_serial *grown = realloc(u->serials, (u->serials_n + 1) * sizeof *grown);
	if (grown == NULL) {
		return; /* the next commit says it again, or an update writes it */
	}
	u->serials = grown;
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
	updater_count(&u->stats.commits);
	if (u->batch == NULL || served_reserve(u->served) != OK || batch_accept(u->batch, f->id, &next, &old) != OK) {
		pull_all(u, "no memory, or the git side is out of step");
	} else {
		u->serials_n = 0;
		served_publish(u->served, next, old);
		u->changed(u->ctx);
	}
	batch_free(&u->batch);
	updater_answer_all(u, &u->pending, RCODE_NOERROR, EDE_NONE, "%s", "");
	log_pushed(u, f, updates);
	updater_count_good(u, updates);
	updater_go_on(u);
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
on_refused(struct updater *u, const struct link_frame *f)
{
	char text[UPDATE_ANSWER_TEXT_MAX];
	int ede = ede_of((err_t)f->status);
	log_event(u->log, LOG_LEVEL_ERROR, "push-failed", "updates=%zu text=%s serving=last-good", u->pending.n, f->text);
	update_text_put(text, "not written to the repository: %s", f->text);
	u->are_serials_due = false;
	u->state = UPDATER_IDLE;
	if (is_about_content((err_t)f->status)) {
		updater_split(u, true, RCODE_SERVFAIL, ede, text);
	} else {
		batch_free(&u->batch);
		updater_answer_all(u, &u->pending, RCODE_SERVFAIL, ede, "%s", text);
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
	updater_forget_all(u, &u->pending);
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
		updater_answer_all(u, &u->pending, RCODE_NOERROR, EDE_NONE, "%s", "");
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
		updater_count_good(u, u->pending.n);
		updater_answer_all(u, &u->pending, RCODE_NOERROR, EDE_NONE, "%s", "");
	} else if (f->type == LINK_COMMIT) {
		try_again(u, "others push to the repository all the time");
	} else {
		updater_put_back(u);
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
	updater_forget_all(u, &u->pending);
	for (struct job *j; (j = updater_take_next(u)) != NULL;) {
		updater_forget(u, j, &u->stats.unanswered);
	}
	lines_fini(&u->lines);
	replay_free(&u->replay);
	free(u->serials);
}
