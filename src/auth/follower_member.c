/* What becomes of a zone that a catalog lists, or lists no more. */
#include <stdlib.h>
#include <string.h>

#include "auth/follower_p.h"
#include "base/alloc.h"

enum { AGAIN_S = 1 }; /* what there was no memory for */

bool
followed_is_leaving(const struct follow_zone *z)
{
	return z->is_aside || z->demand == DEMAND_DROP || z->demand == DEMAND_FORGET;
}

bool
followed_is_pinned(const struct follow_zone *z)
{
	return z->is_catalog || (z->member != NULL && !followed_is_leaving(z));
}

err_t
followed_enter(struct follow_zone *z, struct followed_catalog *c, const uint8_t *label)
{
	size_t len = 1 + (size_t)label[0];
	struct membership *m = try_alloc(sizeof *m + len);
	if (m == NULL) {
		return E_NOMEM;
	}
	*m = (struct membership){ .catalog = c, .generation = c->generation };
	memcpy(m->label, label, len);
	free(z->member);
	z->member = m;
	return OK;
}

/* Rounds begin with another source: the last one may have been the catalog's. */
void
followed_leave(struct follower *f, struct follow_zone *z)
{
	free(z->member);
	z->member = NULL;
	z->is_aside = z->has_good = false;
	z->demand = DEMAND_NOTHING;
	if (f->conf.io.belongs != NULL) {
		err_t err = f->conf.io.belongs(f->conf.io.ctx, z->apex, NULL);
		(void)err; /* to leave takes no memory */
	}
}

void
followed_return(struct follower *f, const struct now *now, struct follow_zone *z)
{
	bool is_void = z->demand == DEMAND_FORGET;
	z->is_aside = false;
	z->demand = is_void ? DEMAND_RESET : DEMAND_NOTHING;
	if (z->phase == ZONE_RESTING && is_void) {
		followed_carry_out(f, now, z);
	} else if (z->phase == ZONE_RESTING) {
		followed_ask_all(f, z);
	}
}

/* ---- what the catalog demands ---- */

static void
try_again(struct follower *f, const struct now *now, struct follow_zone *z)
{
	z->due_ns = now->mono_ns + seconds_ns(AGAIN_S);
	followed_set_timer(f, z);
}

/* Nothing is kept of a zone that has no data, or none that are good any more. */
static void
drop(struct follower *f, const struct now *now, struct follow_zone *z)
{
	bool has_nothing = z->presence == FOLLOW_NEW || z->presence == FOLLOW_EXPIRED || z->demand == DEMAND_FORGET;
	if (has_nothing && followed_forget(f, now, z)) {
		return;
	}
	if (has_nothing || (followed_is_to_be_withdrawn(z) && !followed_show(f, z, FOLLOW_WITHDRAWN))) {
		try_again(f, now, z);
		return;
	}
	follower_say(f, (struct follow_report){ .event = FOLLOW_SET_ASIDE, .zone = z->apex, .catalog = z->member->catalog->zone->apex });
	z->demand = DEMAND_NOTHING;
	z->is_aside = true;
	z->due_ns = NOW_NEVER;
	followed_set_timer(f, z);
}

static void
forget_all(struct follow_zone *z)
{
	free(z->trouble);
	z->trouble = NULL;
	z->version = NULL;
	z->times = (struct soa_times){ 0 };
	z->presence = FOLLOW_NEW;
	z->demand = DEMAND_NOTHING;
	z->refreshed_ns = z->taken_ns = z->transfer_ms = z->transfer_octets = 0;
	z->expires_ns = NOW_NEVER;
	z->failures = 0;
	z->has_good = z->is_aside = z->is_whole_next = z->is_link_next = z->has_ended_a_link = z->needs_all_room = false;
}

static void
reset(struct follower *f, const struct now *now, struct follow_zone *z)
{
	if (!followed_show(f, z, FOLLOW_FORGOTTEN)) {
		try_again(f, now, z);
		return;
	}
	forget_all(z);
	followed_begin(f, now, z, followed_first_source(f, z));
}

void
followed_carry_out(struct follower *f, const struct now *now, struct follow_zone *z)
{
	z->phase = ZONE_RESTING;
	switch (z->demand) {
	case DEMAND_DROP:
	case DEMAND_FORGET:
		drop(f, now, z);
		break;
	case DEMAND_RESET:
		reset(f, now, z);
		break;
	default:
		z->demand = DEMAND_NOTHING;
		followed_ask_all(f, z);
	}
}

/* A reset is not lost by what comes before it is carried out. */
static enum demand
together(enum demand pending, enum demand what)
{
	bool is_void = pending == DEMAND_RESET || pending == DEMAND_FORGET;
	return !is_void ? what : what == DEMAND_DROP ? DEMAND_FORGET : DEMAND_RESET;
}

/* Whoever keeps versions is to know before the catalog's is kept: else the next run has that one, and does not know that something has not
 * been carried out. */
static void
say_demand(const struct follower *f, const struct follow_zone *z)
{
	if (z->demand != DEMAND_ASK) {
		enum follow_event event = z->demand == DEMAND_DROP ? FOLLOW_TO_LEAVE : FOLLOW_TO_RESET;
		follower_say(f, (struct follow_report){ .event = event, .zone = z->apex });
	}
}

void
followed_demand(struct follower *f, const struct now *now, struct follow_zone *z, enum demand what)
{
	z->demand = together(z->demand, what);
	say_demand(f, z);
	if (z->phase == ZONE_ASKED) {
		return;
	}
	if (z->phase == ZONE_WAITING) {
		link_wait_no_more(f, &z->want);
	}
	followed_carry_out(f, now, z);
}
