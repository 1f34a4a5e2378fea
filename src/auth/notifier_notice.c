/* Changes the states of notices, according to their schedule, and reports their outcomes. */
#include "auth/notifier_p.h"

enum {
	PATIENCE_S = 5,         /* the longest that an attempt waits for an answer */
	TCP_FIFTHS = 3,         /* TCP has three fifths of the patience; UDP has the rest, since it needs one round trip instead
	                         * of two */
	UNANSWERED_ATTEMPTS = 8, /* the attempts of the first minute; later ones are far apart */
};


/* Seconds from each attempt to the next. */
static const uint32_t schedule_s[NOTIFIER_ATTEMPTS_MAX - 1] = { 1, 1, 1, 4, 13, 20, 20, 120, 420, 900, 2100, 82800 };

static uint64_t
interval_s(const struct notice *x)
{
	return x->attempts < NOTIFIER_ATTEMPTS_MAX ? schedule_s[x->attempts - 1] : PATIENCE_S;
}

static uint64_t
patience_ns(const struct notice *x)
{
	uint64_t s = interval_s(x);
	return (s < PATIENCE_S ? s : PATIENCE_S) * SECOND_NS;
}

/* The time until which the message that is sent now waits for an answer. */
static uint64_t
deadline_ns(const struct notice *x, uint64_t now_ns)
{
	uint64_t patience = patience_ns(x), tcp = patience / 5 * TCP_FIFTHS;
	if (x->transport == NOTIFY_OVER_TCP) {
		return x->begun_ns + tcp;
	}
	uint64_t least = now_ns + patience - tcp; /* UDP gets its time even if we are late */
	return x->begun_ns + patience > least ? x->begun_ns + patience : least;
}

/* ---- changes of state ---- */

void
peer_changed(struct notifier *n, struct peer *p)
{
	bool is_ready = (is_any_in(p->waiting) || is_any_in(p->waiting_udp)) && p->in_flight < p->window;
	if (is_ready && !list_is_linked(&p->ready)) {
		list_append(&n->ready, &p->ready);
	} else if (!is_ready && list_is_linked(&p->ready)) {
		list_remove(&p->ready);
	}
	if (!list_is_linked(&p->touched)) {
		list_append(&n->touched, &p->touched);
	}
}

void
notice_wait(struct notifier *n, struct notice *x)
{
	struct peer *p = x->peer;
	struct list_link *queues = is_any_in(p->waiting_udp) ? p->waiting_udp : p->waiting;
	x->state = NOTICE_WAITING;
	list_append(&queues[x->attempts == 0 ? NOTICE_FRESH : NOTICE_AGAIN], &x->link);
	peer_changed(n, p);
}

void
notice_take_off(struct notifier *n, struct notice *x, uint64_t now_ns)
{
	struct peer *p = x->peer;
	x->state = NOTICE_IN_FLIGHT;
	list_append(x->transport == NOTIFY_OVER_TCP ? &p->on_exchange : &p->in_air, &x->link);
	p->in_flight++;
	n->stats.in_flight++;
	heap_set(&n->timers, &x->timer, deadline_ns(x, now_ns));
	peer_changed(n, p);
}

void
notice_detach(struct notifier *n, struct notice *x)
{
	if (x->state == NOTICE_IN_FLIGHT) {
		unsigned *place = x->is_doubted ? &x->peer->doubted : &x->peer->in_flight;
		(*place)--;
		n->stats.doubted -= x->is_doubted;
		x->is_doubted = false;
		n->stats.in_flight--;
	}
	if (list_is_linked(&x->link)) {
		list_remove(&x->link);
	}
	x->state = NOTICE_IDLE;
	heap_remove(&n->timers, &x->timer);
	peer_changed(n, x->peer);
}

/* ---- outcomes ---- */

static void
report(struct notifier *n, const struct notice *x, struct notifier_report r)
{
	struct notify_target target = x->peer->at;
	const struct signer *signer = notice_signer(x);
	target.key = signer != NULL ? &signer->tsig : NULL;
	r.zone = x->zone;
	r.news = (struct notify_news){ .zone = x->zone, .soa = x->rdlen != 0 ? notice_soa(x) : NULL, .soa_len = x->rdlen,
		                       .soa_ttl = x->ttl };
	r.is_removal = x->rdlen == 0;
	r.serial = x->serial;
	r.target = &target;
	r.attempts = x->attempts;
	r.transport = x->transport;
	n->stats.outcomes[r.outcome]++;
	n->conf.io.report(n->conf.io.ctx, &r);
}

static void
forget(struct notifier *n, struct notice *x)
{
	notice_detach(n, x);
	n->pending_for_conns -= x->peer->at.conn != 0;
	peer_take(x);
	notice_free(n, x);
	n->stats.pending--;
}

void
notice_finish(struct notifier *n, struct notice *x, struct notifier_report r)
{
	report(n, x, r);
	forget(n, x);
}

_Static_assert(NOTIFY_OUTCOMES <= 8, "notice.said is an octet");

bool
notice_has_said(const struct notice *x, enum notify_outcome o)
{
	return (x->said & 1 << o) != 0;
}

void
notice_say(struct notifier *n, struct notice *x, struct notifier_report r)
{
	if (!notice_has_said(x, r.outcome)) {
		x->said |= (uint8_t)(1 << r.outcome);
		report(n, x, r);
	}
}

/* True when the peer seems not to be reachable at its address, after every key was tried. */
static bool
is_unreached(const struct notice *x)
{
	return x->peer->at.conn == 0 && x->attempts >= NOTIFIER_UNREACHED_ATTEMPTS && x->attempts >= x->signers_n &&
	       !notice_has_said(x, NOTIFY_PUT_OFF);
}

/* The attempt has failed.  The notice must be IDLE. */
void
notice_rest(struct notifier *n, struct notice *x)
{
	n->stats.failed++;
	x->state = NOTICE_RESTING;
	x->next_turn = notice_turn_after(x);
	heap_set(&n->timers, &x->timer, x->begun_ns + interval_s(x) * SECOND_NS);
	if (is_unreached(x)) {
		notice_say(n, x, (struct notifier_report){ .outcome = NOTIFY_UNREACHED });
	}
	if (x->attempts == UNANSWERED_ATTEMPTS) {
		notice_say(n, x, (struct notifier_report){ .outcome = NOTIFY_UNANSWERED });
	} else if (x->attempts == NOTIFIER_ATTEMPTS_MAX) {
		notice_finish(n, x, (struct notifier_report){ .outcome = NOTIFY_GAVE_UP });
	}
}
