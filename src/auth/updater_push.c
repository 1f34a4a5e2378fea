#include "auth/updater_p.h"

#include <stdio.h>

#include "dns/wire.h"

/* ---- pushing a batch ---- */

bool
updater_send_push(struct updater *u)
{
	struct updater_push p = {
		.message = batch_message(u->batch), .base = primary_view(u->conf.primary)->commit,
		.again = u->is_unknown ? u->unknown : NULL, .made_s = u->made_s,
	};
	p.files = batch_files(u->batch, &p.n);
	snprintf(u->base, sizeof u->base, "%s", p.base);
	return u->conf.io.push(u->conf.io.ctx, &p);
}

void
updater_begin_pull(struct updater *u)
{
	u->state = UPDATER_PULLING;
	u->conf.io.pull(u->conf.io.ctx, false);
}

/* The files that were read belong to a commit that is no longer served, or no process took the push: begin again after a
 * pull. */
static void
begin_anew(struct updater *u)
{
	updater_put_back(u);
	u->state = UPDATER_PULLING;
	if (!u->conf.io.is_pull_coming(u->conf.io.ctx)) {
		u->conf.io.pull(u->conf.io.ctx, false);
	}
}

/* The updates change nothing in what is served.  Somebody else may have pushed meanwhile: a pull tells. */
static void
ask_whether_idle(struct updater *u)
{
	batch_free(&u->batch);
	u->is_idle = true;
	updater_begin_pull(u);
}

static void
drop_serials(struct updater *u, const char *why)
{
	updater_say(u, &(struct updater_report){ .event = UPDATER_SERIAL_NOT_WRITTEN, .text = why });
	updater_drop_put_serials(u);
	updater_put_back(u);
}

static void
fail_all(struct updater *u, const struct answer_to_all *a)
{
	batch_free(&u->batch);
	u->are_serials_due = false;
	updater_answer_all(u, &u->pending, a);
}

void
updater_prepare(struct updater *u)
{
	char text[UPDATE_ANSWER_TEXT_MAX] = "";
	struct answer_to_all a = { .rcode = RCODE_SERVFAIL, .ede = EDE_OTHER, .text = text };
	u->times.evaluated_ns = updater_time(u).mono_ns;
	err_t err = batch_prepare(u->batch, &a.rcode, &a.ede, text);
	u->times.edited_ns = updater_time(u).mono_ns;
	if (err == OK && updater_send_push(u)) {
		u->state = UPDATER_PUSHING;
	} else if (err == OK || err == E_STALE) {
		begin_anew(u);
	} else if (err == E_NOTFOUND) {
		ask_whether_idle(u);
	} else if (err == E_REFUSED && u->serials_put_n != 0) {
		drop_serials(u, text);
	} else if (err == E_REFUSED) {
		updater_split(u, false, &a);
	} else {
		fail_all(u, &(struct answer_to_all){ .rcode = RCODE_SERVFAIL, .ede = EDE_OTHER, .text = err_str(err) });
	}
}

/* ---- results of pushes ---- */

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

/* The commit is in the remote, but could not be published: a pull is to report it like a commit of others. */
static void
pull_all(struct updater *u, const char *why)
{
	updater_say(u, &(struct updater_report){ .event = UPDATER_NOT_TAKEN_OVER, .text = why });
	u->state = UPDATER_PULLING;
	u->conf.io.pull(u->conf.io.ctx, true);
}

void
updater_settle_unknown(struct updater *u)
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
	if (u->batch == NULL) { /* a pulled commit undid the batch, so the push should have failed */
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
	updater_settle_unknown(u);
	quiet_pushed(&u->quiet, updater_time_ms(u));
	updater_count(&u->stats.commits);
	if (publish(u, p->commit) != OK) {
		pull_all(u, "no memory, or the batch was undone before its push ended");
	}
	batch_free(&u->batch);
	updater_answer_good(u, &u->pending);
	report_pushed(u, p, updates);
	updater_count_good(u, updates);
}

void
updater_try_again(struct updater *u, const char *why)
{
	struct jobs again = { 0 };
	for (struct job *j; (j = jobs_take(&u->pending)) != NULL;) {
		if (++j->tries < UPDATE_TRIES_MAX) {
			updater_count(&u->stats.again);
			jobs_append(&again, j);
		} else {
			update_task_settle(&j->task, RCODE_SERVFAIL, EDE_OTHER, "not written after %d tries: %s", UPDATE_TRIES_MAX, why);
			update_task_hide(&j->task, "not written to the repository: it had changed at each try; the server's log says why");
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

/* True for errors that depend on what is in the commit: a hook, a rule of the branch, a limit. */
static bool
is_about_content(err_t status)
{
	return status == E_REFUSED || status == E_LIMIT || status == E_EXISTS || status == E_FORMAT;
}

/* What keys that do not see all are told.  The words of the remote, a hook's included, are not for them, even if the update was pushed
 * alone: they name the repository, and may have paths and whatever else a hook prints. */
static const char *
general_of(err_t status)
{
	switch (status) {
	case E_REFUSED:
		return "not written to the repository: a hook or a rule there forbids it; the server's log says why";
	case E_AUTH:
		return "not written to the repository: the server may not write there; its log says why";
	case E_IO:
	case E_NOTFOUND:
	case E_TIMEOUT:
		return "not written to the repository: it cannot be reached or written; the server's log says why";
	case E_EXISTS:
		return "not written to the repository: the name of a new file is taken there; the server's log says why";
	default:
		return "not written to the repository; the server's log says why";
	}
}

static void
on_refused(struct updater *u, const struct updater_push_failure *f)
{
	char text[UPDATE_ANSWER_TEXT_MAX];
	const struct answer_to_all a = {
		.rcode = RCODE_SERVFAIL, .ede = ede_of(f->status), .text = text, .general = general_of(f->status),
	};
	updater_say(u, &(struct updater_report){ .event = UPDATER_PUSH_FAILED, .updates = u->pending.n, .text = f->text });
	update_text_put(text, "not written to the repository: %s", f->text);
	u->are_serials_due = false;
	u->state = UPDATER_IDLE;
	if (is_about_content(f->status)) {
		updater_split(u, true, &a);
	} else {
		fail_all(u, &a);
	}
}

/* Keeps the batch: the same commit may have to be pushed again. */
static void
on_unclear(struct updater *u, const struct updater_push_failure *f)
{
	const struct updater_report r = {
		.event = UPDATER_PUSH_UNCLEAR, .commit = f->commit, .updates = u->pending.n, .text = f->text,
	};
	updater_say(u, &r);
	u->is_unknown = true;
	snprintf(u->unknown, sizeof u->unknown, "%s", f->commit);
	updater_begin_pull(u);
}

void
updater_on_push_failed(struct updater *u, const struct updater_push_failure *f)
{
	if (f->status == E_STALE) {
		batch_free(&u->batch);
		updater_try_again(u, f->text);
		updater_begin_pull(u);
	} else if (f->status == E_UNKNOWN) {
		on_unclear(u, f);
	} else {
		on_refused(u, f);
	}
}
