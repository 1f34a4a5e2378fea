#include "auth/updater_p.h"

#include <string.h>

#include "dns/wire.h"

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
	updater_settle_unknown(u);
	u->state = UPDATER_IDLE;
}

/* The branch is where it was: the remote may still be about to take the commit.  The same one again does no harm then, and is as
 * good as the first. */
static void
push_again(struct updater *u)
{
	if (u->batch == NULL || is_too_late(u) || ++u->pushes > UPDATE_PUSHES_MAX || !updater_send_push(u)) {
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
		updater_settle_unknown(u);
		u->state = UPDATER_IDLE;
	} else if (p->end == UPDATER_PULL_COMMIT && strcmp(p->commit, u->base) != 0) { /* it has moved: nothing can come of the push now */
		updater_try_again(u, "others push to the repository all the time");
		updater_settle_unknown(u);
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
		updater_try_again(u, "others push to the repository all the time");
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
