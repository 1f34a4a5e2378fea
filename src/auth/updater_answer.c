#include <stdlib.h>

#include "auth/updater_p.h"
#include "dns/wire.h"

/* ---- answers ---- */

/* Frees the job and gives the request back.  Len 0: no answer is sent. */
static void
end_job(struct updater *u, struct job *j, size_t len)
{
	void *handle = j->request.handle;
	update_task_fini(&j->task);
	lines_done(&u->lines, &j->turn);
	free(j);
	u->conf.io.answer(u->conf.io.ctx, handle, u->wire, len);
}

static void
report_refusal(struct updater *u, const struct job *j)
{
	const struct update_task *t = &j->task;
	const struct updater_report r = {
		.event = UPDATER_REFUSED, .text = t->text,
		.refused = { .peer = &t->peer, .zone = update_task_zone(t), .key = j->request.key->oct, .rcode = t->rcode },
	};
	updater_say(u, &r);
}

void
updater_answer(struct updater *u, struct job *j)
{
	struct update_task *t = &j->task;
	size_t len = update_task_answer(t, u->conf.server, updater_time(u).wall_s, u->wire, sizeof u->wire);
	if (j->seen != NULL) {
		replay_settle(u->replay, j->seen, t->rcode, t->rcode == RCODE_NOERROR);
	}
	updater_count(t->rcode == RCODE_NOERROR ? &u->stats.updates : t->rcode == RCODE_SERVFAIL ? &u->stats.failed : &u->stats.refused);
	if (t->rcode != RCODE_NOERROR) {
		report_refusal(u, j);
	}
	end_job(u, j, len);
}

void
updater_answer_all(struct updater *u, struct jobs *q, const struct answer_to_all *a)
{
	for (struct job *j; (j = jobs_take(q)) != NULL;) {
		update_task_settle(&j->task, a->rcode, a->ede, "%s", a->text);
		update_task_hide(&j->task, a->general);
		updater_answer(u, j);
	}
}

void
updater_answer_good(struct updater *u, struct jobs *q)
{
	updater_answer_all(u, q, &(struct answer_to_all){ .rcode = RCODE_NOERROR, .ede = EDE_NONE, .text = "" });
}

void
updater_forget(struct updater *u, struct job *j, _Atomic uint64_t *counter)
{
	if (j->seen != NULL) {
		replay_lose(u->replay, j->seen);
	}
	updater_count(counter);
	end_job(u, j, 0);
}

void
updater_forget_all(struct updater *u, struct jobs *q)
{
	for (struct job *j; (j = jobs_take(q)) != NULL;) {
		updater_forget(u, j, &u->stats.unanswered);
	}
}

/* ---- repeats ---- */

static err_t
look_up(struct updater *u, struct job *j, enum replay_state *state, unsigned *rcode)
{
	const struct update_task *t = &j->task;
	const struct replay_request q = {
		.key = t->key.tsig.name.oct, .mac = t->tsig.mac, .mac_len = t->tsig.mac_len, .signed_s = t->tsig.peer_time_s,
		.now_s = j->request.arrived_s, .mono_s = j->request.arrived_ns / 1000000000u,
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
		                   "this may repeat an update that the server no longer remembers: sign it again");
	} else {
		update_task_settle(&j->task, rcode, EDE_NONE, "%s", "");
	}
	updater_answer(u, j);
	return true;
}

/* ---- waiting updates ---- */

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

static void
refuse_for_now(struct updater *u, struct job *j, const char *why)
{
	err_t err = update_task_open(&j->task, primary_view(u->conf.primary));
	if (err == OK && updater_is_repeated(u, j)) {
		return;
	}
	if (err == OK) {
		update_task_settle(&j->task, RCODE_SERVFAIL, EDE_NETWORK_ERROR, "the repository cannot be reached: %s", why);
		update_task_hide(&j->task, "the repository cannot be reached; the server's log says why");
	} else if (err == E_NOMEM) {
		update_task_settle(&j->task, RCODE_SERVFAIL, EDE_OTHER, "no memory");
	}
	updater_answer(u, j);
}

void
updater_answer_waiting(struct updater *u, bool all, const char *why)
{
	for (struct job *j; (j = all ? updater_take_next(u) : jobs_take(&u->queue)) != NULL;) {
		refuse_for_now(u, j, why);
	}
}
