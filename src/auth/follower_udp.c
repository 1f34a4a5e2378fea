/* Questions about serial numbers over UDP: when no link is open, and mostly nothing is newer, a link would cost more than the answer.
 *
 * Each question has a socket of its own (so an unpredictable port), an unpredictable ID, and an answer that counts only if it is signed.
 * Whatever else comes back leads to a question over the link.  So does silence, after the question was sent twice.  A primary that does
 * not answer is asked so less and less often, and by one question at a time, until it does: a firewall may drop UDP. */
#include <stdlib.h>
#include <string.h>

#include "auth/follower_p.h"
#include "base/alloc.h"

enum { LOST_AGAIN_MIN_S = 60, LOST_AGAIN_MAX_S = 86400 };

/* ---- when ---- */

bool
udp_is_for(const struct follower *f, const struct follow_zone *z)
{
	bool is_refresh = z->query == QUERY_SERIAL && !z->wanted.is_set && z->presence == FOLLOW_PRESENT;
	return f->conf.io.udp_send != NULL && is_refresh && !z->is_link_next && !f->sources[z->source]->at.is_kept;
}

static bool
may_use(const struct follow_link *l, const struct now *now)
{
	return !l->is_open && l->failures == 0 && now->mono_ns >= l->udp_again_ns;
}

/* All that waits for UDP waits for the link instead. */
static void
turn_to_link(struct follow_link *l)
{
	list_append_all(&l->questions, &l->datagrams);
}

/* ---- sending ---- */

static unsigned
free_slot(const struct follower *f)
{
	unsigned slot = 0;
	while (slot < FOLLOWER_UDP_MAX && f->datagrams[slot] != NULL) {
		slot++;
	}
	return slot;
}

/* False: it cannot be sent. */
static bool
transmit(struct follower *f, const struct now *now, struct datagram *d)
{
	uint64_t wait_ms = d->sent++ == 0 ? FOLLOWER_UDP_FIRST_MS : FOLLOWER_UDP_SECOND_MS;
	heap_set(&f->udp_timers, &d->timer, now->mono_ns + wait_ms * (NOW_SECOND_NS / 1000));
	return f->conf.io.udp_send(f->conf.io.ctx, d->slot, &d->ask->source->at, d->wire, d->len);
}

void
udp_end(struct follower *f, struct ask *a)
{
	struct datagram *d = a->datagram;
	heap_remove(&f->udp_timers, &d->timer);
	f->datagrams[d->slot] = NULL;
	a->on->datagrams_n--;
	f->stats.asking--;
	f->conf.io.udp_end(f->conf.io.ctx, d->slot);
}

/* The question goes over the link instead. */
static void
give_up(struct follower *f, const struct now *now, struct ask *a)
{
	struct follow_zone *z = a->zone;
	ask_end(f, a);
	z->is_link_next = true;
	followed_wait_again(f, now, z, QUERY_SERIAL);
}

static void
give_up_as_lost(struct follower *f, const struct now *now, struct ask *a)
{
	struct follow_link *l = a->on;
	if (now->mono_ns >= l->udp_again_ns) { /* else another question was lost at the same time */
		uint64_t s = (uint64_t)LOST_AGAIN_MIN_S << (l->udp_losses < 16 ? l->udp_losses : 16);
		l->udp_losses++;
		l->udp_again_ns = now->mono_ns + seconds_ns(s < LOST_AGAIN_MAX_S ? s : LOST_AGAIN_MAX_S);
	}
	f->stats.datagrams_lost++;
	give_up(f, now, a);
}

/* False: there is no memory. */
static bool
begin(struct follower *f, const struct now *now, struct follow_link *l, struct follow_zone *z, unsigned slot)
{
	struct datagram *d = try_alloc(sizeof *d);
	struct ask *a;
	if (d == NULL || ask_new(f, l, &z->want, &a) != OK) {
		free(d);
		return false;
	}
	err_t err = ask_write(a, true, now->wall_s, d->wire, &d->len);
	if (err != OK) {
		ask_free(a);
		free(d);
		return false;
	}
	d->ask = a;
	d->slot = slot;
	a->datagram = d;
	a->begun_ns = now->mono_ns;
	list_append(&f->datagram_asks, &a->link);
	f->datagrams[slot] = d;
	l->datagrams_n++;
	z->phase = ZONE_ASKED;
	f->stats.asking++;
	f->stats.questions++;
	f->stats.datagrams++;
	if (!transmit(f, now, d)) {
		give_up(f, now, a);
	}
	return true;
}

void
udp_go(struct follower *f, const struct now *now, struct follow_link *l)
{
	while (!list_is_empty(&l->datagrams) && may_use(l, now) && (l->udp_losses == 0 || l->datagrams_n == 0)) {
		unsigned slot = free_slot(f);
		if (l->datagrams_n == FOLLOWER_LINK_UDP_MAX || slot == FOLLOWER_UDP_MAX) {
			return; /* until others are answered */
		}
		struct follow_zone *z = LIST_ENTRY(l->datagrams.next, struct follow_zone, want.link);
		link_wait_no_more(f, &z->want);
		if (!begin(f, now, l, z, slot)) {
			z->is_link_next = true;
			followed_wait_again(f, now, z, QUERY_SERIAL);
		}
	}
	turn_to_link(l);
}

/* ---- what comes back ---- */

static void
take(struct follower *f, const struct now *now, struct ask *a, const struct msg *m)
{
	unsigned rcode = answer_rcode(m);
	bool is_clear = (m->bits & DNS_TC) == 0 && (rcode == RCODE_NOERROR || rcode == RCODE_NOTAUTH);
	if (!is_clear || tsig_verify_response(&a->tsig, m, now->wall_s) != OK) {
		give_up(f, now, a);
		return;
	}
	a->on->udp_losses = 0;
	follower_take_serial(f, now, a, m);
}

void
follower_datagram(struct follower *f, const struct now *now, unsigned slot, const uint8_t *bytes, size_t len)
{
	struct ask *a = f->datagrams[slot]->ask;
	struct msg m;
	if (msg_parse(bytes, len, &m) != OK || m.id != a->id || !ask_is_answered_by(a, &m)) {
		f->stats.unexpected++; /* forged, perhaps: the answer may still come */
		return;
	}
	take(f, now, a, &m);
	follower_settle(f, now);
}

void
follower_unreachable(struct follower *f, const struct now *now, unsigned slot)
{
	give_up_as_lost(f, now, f->datagrams[slot]->ask);
	follower_settle(f, now);
}

void
udp_take_time(struct follower *f, const struct now *now, struct datagram *d)
{
	if (d->sent == 1 && transmit(f, now, d)) {
		return;
	}
	give_up_as_lost(f, now, d->ask);
}
