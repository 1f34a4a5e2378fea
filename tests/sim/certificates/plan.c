#include "plan.h"

#include <inttypes.h>
#include <stdio.h>

#include "../dice.h"
#include "acme/certifier.h"
#include "base/err.h"

enum {
	LONG_EVERY = 16,
	LATE_MAX_S = CERTIFIER_ZONES_MAX_S - 60,
	JOB_MAX_S = ACME_ORDER_TIME_MAX_S + 1800, /* an order, and its end in DNS while the primary does not answer */
	LOOK_MAX_S = 6 * 3600,                    /* the certifier looks at each host so often, whatever its clock does */
	REST_MAX_S = 3600,                        /* of the client, after failures with directory or account */
};

static const struct {
	const char *name;
	uint64_t least, most; /* of the amount */
} kinds[PLAN_KINDS] = {
	[PLAN_REQUEST] = { "request", 0, 0 },
	[PLAN_WITHDRAW] = { "withdraw", 0, 0 },
	[PLAN_BREAK] = { "break", 0, 0 },
	[PLAN_FOREIGN] = { "foreign", 0, 0 },
	[PLAN_TWICE] = { "twice", 0, 0 },
	[PLAN_SPOIL] = { "spoil", 0, 0 },
	[PLAN_STRANGER] = { "stranger", 0, 0 },
	[PLAN_TAKE] = { "take", 0, 0 },
	[PLAN_KILL] = { "kill", 0, 0 },
	[PLAN_DEADLY] = { "deadly", 20, 300 },
	[PLAN_SECOND] = { "second", 0, 0 },
	[PLAN_CLOCK] = { "clock", 0, 0 },
	[PLAN_DEAF] = { "deaf", 0, 0 },
	[PLAN_CA_DOWN] = { "ca-down", 0, 0 },
	[PLAN_CA_SLOW] = { "ca-slow", 1, 90 },
	[PLAN_CA_LOSES] = { "ca-loses", 50, 500 },
	[PLAN_CA_REFUSES] = { "ca-refuses", 20, 500 },
	[PLAN_CA_LIMITS] = { "ca-limits", 20, 500 },
	[PLAN_CA_BABBLES] = { "ca-babbles", 20, 500 },
	[PLAN_CA_LIES] = { "ca-lies", 300, 1000 },
	[PLAN_CA_DOUBTS] = { "ca-doubts", 200, 1000 },
	[PLAN_CA_FORGETS] = { "ca-forgets", 0, 0 },
	[PLAN_PRIMARY_DOWN] = { "primary-down", 0, 0 },
	[PLAN_PRIMARY_REFUSES] = { "primary-refuses", 100, 1000 },
	[PLAN_PRIMARY_LOSES] = { "primary-loses", 100, 800 },
	[PLAN_SERVER_DEAD] = { "server-dead", 0, 0 },
	[PLAN_SERVER_LAGS] = { "server-lags", 5, 600 },
};

const char *
plan_kind_name(enum plan_kind kind)
{
	return kinds[kind].name;
}

bool
plan_kind_is_fault(enum plan_kind kind)
{
	return kind >= PLAN_KILL;
}

void
plan_print_event(const struct plan_event *e)
{
	printf("%8" PRIu64 " s", e->at_ns / SECOND);
	if (plan_kind_is_fault(e->kind)) {
		printf(" to %" PRIu64 " s", e->until_ns / SECOND);
	}
	printf(": %s %u, %" PRId64 "\n", plan_kind_name(e->kind), e->which, e->amount);
}

/* ---- the events of a seed ---- */

/* Most of them short: an order takes seconds, and faults are to begin and end in the middle of one. */
static uint64_t
duration(struct dice *d)
{
	static const uint64_t most[] = { 10 * SECOND, 2 * MINUTE, 30 * MINUTE, 4 * HOUR };
	return dice_between(d, SECOND, most[dice_unsigned(d, 4)]);
}

static int64_t
clock_error(struct dice *d)
{
	static const int64_t most_s[] = { 60, 3600, 86400, 120 * 86400, 4000 * INT64_C(86400) };
	int64_t s = (int64_t)dice_between(d, 1, (uint64_t)most_s[dice_unsigned(d, 5)]);
	return dice_hits(d, 500) ? s : -s;
}

static unsigned
range_of(const struct plan *p, enum plan_kind kind)
{
	switch (kind) {
	case PLAN_SERVER_DEAD:
	case PLAN_SERVER_LAGS: return p->servers_n;
	case PLAN_SECOND: return 1;
	case PLAN_KILL:
	case PLAN_DEADLY:
	case PLAN_CLOCK:
	case PLAN_DEAF: return 1; /* the second one is a fault by itself */
	default: return p->hosts_n;
	}
}

/* Times are drawn to a few moments, so that events meet each other and the orders that they cause. */
static struct plan_event
make_event(const struct plan *p, struct dice *d, const uint64_t *moments, size_t moments_n)
{
	struct plan_event e = { .kind = (enum plan_kind)(dice_hits(d, 400) ? dice_unsigned(d, PLAN_KILL) : dice_unsigned(d, PLAN_KINDS)) };
	if (e.kind == PLAN_SECOND && p->place != PLACE_HERE) {
		/* Of two oacmes with the same account one may remove the remark on a proof before the other one has written the proof, if
		 * these are in two zones.  If that one is killed then, nobody knows of the proof. */
		e.kind = PLAN_KILL;
	}
	e.at_ns = moments[dice_unsigned(d, (unsigned)moments_n)] + dice_below(d, dice_hits(d, 700) ? MINUTE : 30 * MINUTE);
	e.until_ns = e.at_ns + duration(d);
	e.which = dice_unsigned(d, range_of(p, e.kind));
	e.amount = kinds[e.kind].most != 0 ? (int64_t)dice_between(d, kinds[e.kind].least, kinds[e.kind].most) : 0;
	if (e.kind == PLAN_CLOCK) {
		e.amount = clock_error(d);
	} else if (e.kind == PLAN_CA_FORGETS) {
		e.until_ns = e.at_ns;
	}
	return e;
}

static void
make_events(struct plan *p, struct dice *d)
{
	uint64_t moments[6], span = dice_between(d, 10 * MINUTE, 12 * HOUR);
	for (size_t i = 0; i < 6; i++) {
		moments[i] = dice_below(d, span);
	}
	moments[0] = 0;
	p->events_n = dice_between(d, 4, 40);
	for (size_t i = 0; i < p->events_n; i++) {
		p->events[i] = make_event(p, d, moments, 6);
		p->calm_ns = p->events[i].until_ns > p->calm_ns ? p->events[i].until_ns : p->calm_ns;
	}
}

static void
make_servers(struct plan *p, struct dice *d)
{
	p->servers_n = 1 + dice_unsigned(d, SERVERS_MAX);
	for (unsigned i = 0; i < p->servers_n; i++) {
		p->lag_s[i] = dice_hits(d, 500) ? dice_unsigned(d, LAG_MAX_S + 1) : 0;
	}
	p->dead = p->servers_n > 1 && dice_hits(d, 250) ? (int)dice_unsigned(d, p->servers_n) : -1;
}

void
plan_make(struct plan *p, uint64_t seed)
{
	static const uint64_t lives_s[] = { 6 * 86400, 45 * 86400, 90 * 86400 };
	struct dice d = { seed };
	*p = (struct plan){ .seed = seed, .is_long = seed % LONG_EVERY == 0 };
	p->hosts_n = p->is_long ? 1 : 1 + dice_unsigned(&d, HOSTS_MAX);
	p->life_s = p->is_long ? lives_s[seed / LONG_EVERY % 3] : lives_s[dice_unsigned(&d, 3)];
	p->has_window = dice_hits(&d, 500);
	p->is_reusing = dice_hits(&d, 300);
	p->place = (enum plan_place)(dice_hits(&d, 400) ? 1 + dice_unsigned(&d, 2) : PLACE_HERE);
	p->rights = (enum plan_rights)dice_unsigned(&d, 3);
	p->has_lasting = dice_hits(&d, 400);
	p->lasting = dice_unsigned(&d, 1u << HOSTS_MAX);
	p->has_alternates = dice_hits(&d, 400);
	p->prefers_other = dice_hits(&d, 500);
	p->late_s = dice_hits(&d, 300) ? dice_unsigned(&d, LATE_MAX_S) : 0;
	p->ca_think_s = dice_unsigned(&d, 60);
	p->bad_nonces = dice_hits(&d, 300) ? dice_unsigned(&d, 300) : 0;
	make_servers(p, &d);
	if (p->is_long) {
		p->events[0] = (struct plan_event){ .kind = PLAN_CA_DOWN, .at_ns = dice_below(&d, 729 * DAY) };
		p->events[0].until_ns = p->events[0].at_ns + DAY;
		p->events_n = 1;
	} else {
		make_events(p, &d);
	}
}

/* ---- how long it may take ---- */

static bool
has(const struct plan *p, enum plan_kind kind)
{
	for (size_t i = 0; i < p->events_n; i++) {
		if (p->events[i].kind == kind) {
			return true;
		}
	}
	return false;
}

/* An order that began before the calm may fail after it.  Then comes the longest pause: the pauses double, so the last one is as long as
 * all before it, and CERTIFIER_BACKOFF_S; it has a tenth more by chance.  A clock that was wrong can have written any time into DNS, which
 * is believed for CERTIFIER_BACKOFF_MAX_S.  The CA may ask for more patience, and the client may rest. */
uint64_t
plan_settle_ns(const struct plan *p)
{
	uint64_t failing_s = p->calm_ns / SECOND + JOB_MAX_S, pause_s = failing_s + CERTIFIER_BACKOFF_S, look_s = 0;
	if (has(p, PLAN_CLOCK)) {
		pause_s = CERTIFIER_BACKOFF_MAX_S;
		look_s = LOOK_MAX_S;
	}
	pause_s = pause_s < CERTIFIER_BACKOFF_MAX_S ? pause_s : CERTIFIER_BACKOFF_MAX_S;
	return (JOB_MAX_S + pause_s + pause_s / 10 + RETRY_AFTER_MAX_S + REST_MAX_S + look_s) * SECOND + plan_prompt_ns(p);
}

/* The zone of the proof must be there; the name servers must have the proof, and a dead one is passed over; the CA thinks, and is asked
 * about it at least every half minute. */
uint64_t
plan_prompt_ns(const struct plan *p)
{
	enum { POLL_MAX_S = 30, FIXED_S = 120, NAMES = 2 };
	return (p->late_s + LAG_MAX_S + 2 * CERTIFIER_DEAD_S * NAMES + (NAMES + 1) * (p->ca_think_s + POLL_MAX_S) + FIXED_S) * SECOND;
}
