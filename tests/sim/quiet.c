/* After the last fault: what has suffered must come right, and what people push then must arrive at once.
 *
 *     calm ── all is pushed once more ──> SETTLING ── all have it, and a rest ──> PUSHING <──────── a rest ────────┐
 *                                                    │                                └── a few pushes ──> HEARING ──┘ all have it
 *                                                    └── at last, a push of which no NOTIFY tells ──> DEAF
 */
#include "sim.h"

#define LONG_REST (15 * MINUTE) /* connections that nobody has closed are found out, and those that are kept are made again */
#define SHORT_REST MINUTE
#define LOOK_AGAIN (10 * SECOND)

enum { ROUNDS = 12, PUSHES_MAX = 12, PAUSE_MAX_MS = 250, REPEATS = 500, SLOW_MS = 400 };

uint64_t
quiet_next(const struct world *w)
{
	return w->quiet.next_ns;
}

static void
enter(struct world *w, unsigned phase, uint64_t next_ns)
{
	w->quiet.phase = phase;
	w->quiet.since_ns = w->now_ns;
	w->quiet.next_ns = next_ns;
}

static enum plan_kind
any_kind(struct world *w)
{
	return dice_hits(&w->dice, 600) ? PLAN_CHANGE : dice_hits(&w->dice, 500) ? PLAN_GO : PLAN_COME;
}

/* One push of several that follow each other at once, so that NOTIFYs come while transfers are under way. */
static void
push(struct world *w)
{
	people_push(w, any_kind(w), dice_unsigned(&w->dice, w->plan->zones_n));
	if (w->quiet.pushes-- != 0) {
		w->quiet.next_ns = w->now_ns + dice_between(&w->dice, 1, PAUSE_MAX_MS) * MS;
	} else {
		enter(w, QUIET_HEARING, w->now_ns + plan_prompt_ns(w->plan));
	}
}

static void
push_unheard(struct world *w)
{
	w->quiet.is_deaf = true;
	for (unsigned z = 0; z < w->plan->zones_n; z++) {
		people_push(w, PLAN_CHANGE, z);
	}
	enter(w, QUIET_DEAF, w->now_ns + LOOK_AGAIN);
}

static void
look_at_refreshes(struct world *w)
{
	bool is_over = check_refreshes(w, w->quiet.since_ns);
	if (is_over) {
		enter(w, QUIET_OVER, NOW_NEVER);
	} else {
		w->quiet.next_ns = w->now_ns + LOOK_AGAIN;
	}
}

void
quiet_go_on(struct world *w)
{
	switch (w->quiet.phase) {
	case QUIET_NOT_YET:
		people_push_newest(w);
		enter(w, QUIET_SETTLING, w->now_ns + plan_settle_ns(w->plan));
		break;
	case QUIET_PUSHING:
		if (w->quiet.rounds > ROUNDS) {
			push_unheard(w);
		} else {
			push(w);
		}
		break;
	case QUIET_DEAF:
		look_at_refreshes(w);
		break;
	default: /* it is too late */
		check_unsettled(w, w->now_ns - w->quiet.since_ns);
		break;
	}
}

void
quiet_look(struct world *w)
{
	struct quiet *q = &w->quiet;
	bool is_waiting = q->phase == QUIET_SETTLING || q->phase == QUIET_HEARING;
	if (!is_waiting || !check_is_settled(w)) {
		return;
	}
	bool is_first = q->phase == QUIET_SETTLING;
	if (is_first && !check_is_subscribed(w)) {
		return;
	}
	if (is_first) {
		w->settled_ns = w->now_ns - w->plan->calm_ns;
		w->repeats = REPEATS; /* those that come again, perhaps after newer ones, must do no harm */
		w->slow_ms = dice_hits(&w->dice, 500) ? SLOW_MS : 0; /* more is under way at a time */
	}
	q->pushes = dice_unsigned(&w->dice, PUSHES_MAX);
	q->rounds++;
	enter(w, QUIET_PUSHING, w->now_ns + (is_first ? LONG_REST : SHORT_REST));
}
