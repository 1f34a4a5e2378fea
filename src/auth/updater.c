#include "auth/updater_p.h"

#include <stdlib.h>

#include "base/alloc.h"

/* ---- the next deadline ---- */

static bool
is_ready(const struct updater *u)
{
	return u->state == UPDATER_IDLE && (updater_is_any_waiting(u) || (u->serials_n != 0 && u->are_serials_due));
}

/* True while updates have to wait so that people can push.  The log says it once for each such pause. */
static bool
is_held(struct updater *u)
{
	uint64_t now_ms = updater_time_ms(u);
	unsigned wait_ms = quiet_wait(&u->quiet, now_ms);
	if (wait_ms != 0 && !u->is_held) {
		const char *why = quiet_is_anybody_expected(&u->quiet, now_ms) ? "people push while updates come without pause"
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
	if (u->was_held) { /* people may have pushed in the pause; a pull finds that out faster than a push that fails */
		u->was_held = false;
		updater_begin_pull(u);
	} else {
		quiet_begin(&u->quiet, updater_time_ms(u));
		u->times.begin_ns = updater_time(u).mono_ns;
		if (updater_gather(u)) {
			updater_prepare(u);
		} else {
			batch_free(&u->batch);
		}
	}
}

void
updater_go_on(struct updater *u, bool is_pulling)
{
	if (u->state == UPDATER_LOST) {
		updater_answer_waiting(u, true, "the git process has ended, and oprimary must be restarted");
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

/* ---- the git process ---- */

void
updater_on_death(struct updater *u)
{
	batch_free(&u->batch);
	if (u->state == UPDATER_PUSHING || u->is_unknown) {
		updater_forget_all(u, &u->pending); /* the next process does not know what the dead one was about to push */
	}
	jobs_put_before(&u->queue, &u->pending);
	updater_settle_unknown(u);
	u->is_idle = false;
	u->state = UPDATER_PULLING; /* the next process begins with a pull */
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

/* ---- public functions ---- */

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
