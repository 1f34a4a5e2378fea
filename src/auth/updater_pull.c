#include "auth/updater_p.h"

#include <string.h>

#include "dns/wire.h"

void
updater_before_commit(struct updater *u)
{
	batch_free(&u->batch); /* if a push is on its way, it will end with E_STALE */
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

/* The branch has not moved, so the remote may still be about to take the commit.  Pushing the same commit again does no
 * harm in that case, and both pushes have the same result. */
static void
push_again(struct updater *u)
{
	if (u->batch == NULL || is_too_late(u) || ++u->pushes > UPDATE_PUSHES_MAX || !updater_send_push(u)) {
		forget_unknown(u);
	} else {
		u->state = UPDATER_PUSHING;
	}
}

/* Settles updates of unknown fate, after the remote was seen again. */
static void
find_out(struct updater *u, const struct updater_pull *p)
{
	u->away[0] = '\0';
	if (p->has_pushed) {
		batch_free(&u->batch);
		updater_answer_good(u, &u->pending);
		updater_settle_unknown(u);
		u->state = UPDATER_IDLE;
	} else if (p->end == UPDATER_PULL_COMMIT && strcmp(p->commit, u->base) != 0) { /* the branch has moved: the push can
	                                                                                * no longer succeed */
		updater_try_again(u, "others keep pushing to the repository");
		updater_settle_unknown(u);
		u->state = UPDATER_IDLE;
	} else {
		push_again(u);
	}
}

/* The remote cannot be reached: updates that were to be tried again are answered SERVFAIL. Updates of unknown fate are kept
 * for a while. */
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

/* True when the pull says nothing of updates that change nothing: it saw the remote before they were held against what is served. */
static bool
is_too_early(const struct updater *u, const struct updater_pull *p)
{
	return u->is_idle && p->is_older && p->end != UPDATER_PULL_COMMIT;
}

/* Settles updates that change nothing, after a pull has told whether the served commit is the remote's head. */
static void
find_idle(struct updater *u, const struct updater_pull *p)
{
	u->is_idle = false;
	if (p->end == UPDATER_PULL_UPTODATE) {
		updater_count_good(u, u->pending.n);
		updater_answer_good(u, &u->pending);
	} else if (p->end == UPDATER_PULL_COMMIT) {
		updater_try_again(u, "others keep pushing to the repository");
	} else {
		updater_put_back(u);
	}
}

/* True when the pull has shown where the remote's branch is now. */
static bool
is_of_remote(const struct updater_pull *p)
{
	return p->end != UPDATER_PULL_FAILED && !p->is_from_cache;
}

/* A pull that was begun before ours was asked for, and failed, is not ours: ours follows, and may go well. */
static void
end_pulling(struct updater *u, const struct updater_pull *p)
{
	if (p->end == UPDATER_PULL_FAILED) {
		if (!p->is_older) {
			give_up(u, p);
		}
	} else if (is_of_remote(p) && u->is_unknown) {
		find_out(u, p);
	} else if (is_of_remote(p)) {
		u->state = UPDATER_IDLE;
	}
}

void
updater_after_pull(struct updater *u, const struct updater_pull *p)
{
	bool is_first = !u->is_past_known; /* then the commits may be of long ago */
	u->are_serials_due |= is_of_remote(p);
	u->is_past_known |= is_of_remote(p);
	if (p->end == UPDATER_PULL_COMMIT && p->is_of_people && !is_first) {
		quiet_others_pushed(&u->quiet, updater_time_ms(u));
	}
	if (is_too_early(u, p)) {
		return; /* the pull that was asked for them follows */
	}
	if (u->is_idle && (is_of_remote(p) || p->end == UPDATER_PULL_FAILED)) {
		find_idle(u, p);
	}
	if (u->state == UPDATER_PULLING) {
		end_pulling(u, p);
	}
}
