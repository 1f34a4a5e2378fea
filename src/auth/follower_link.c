/* Links: what waits for them, what is sent over them, and when. */
#include <stdlib.h>
#include <string.h>

#include "auth/follower_p.h"
#include "base/alloc.h"

enum { WINDOW_FIRST = 8, ANSWERS_A_STEP = 4, WAKE_S = 1, PASSED_MAX = 100 };

/* ---- beginning ---- */

static bool
is_same_link(const struct follow_source *a, const struct follow_source *b)
{
	return a->port == b->port && key_address_is_equal(&a->address, &b->address) && key_address_is_equal(&a->source, &b->source);
}

struct follow_link *
link_get(struct follower *f, const struct follow_source *s)
{
	for (size_t i = 0; i < f->links_n; i++) {
		if (is_same_link(&f->links[i]->at, s)) {
			return f->links[i];
		}
	}
	if (f->links_n == FOLLOWER_LINKS_MAX || heap_reserve(&f->link_timers, f->links_n + 1) != OK) {
		return NULL;
	}
	struct follow_link *l = try_alloc(sizeof *l);
	if (l == NULL) {
		return NULL;
	}
	l->at = *s;
	l->number = (unsigned)f->links_n;
	l->window = WINDOW_FIRST;
	list_init(&l->questions);
	list_init(&l->transfers);
	list_init(&l->alone);
	list_init(&l->datagrams);
	list_init(&l->asks);
	f->links[f->links_n++] = l;
	return l;
}

/* ---- waiting ---- */

static struct list_link *
place_of(const struct follower *f, struct follow_link *l, const struct want *w)
{
	if (w->is_domain) {
		return &l->questions;
	}
	const struct follow_zone *z = LIST_ENTRY(w, struct follow_zone, want);
	if (z->query == QUERY_SERIAL) {
		return udp_is_for(f, z) ? &l->datagrams : &l->questions;
	}
	return z->has_ended_a_link ? &l->alone : &l->transfers;
}

void
link_wait(struct follower *f, struct follow_link *l, struct want *w)
{
	list_append(place_of(f, l, w), &w->link);
	f->stats.waiting++;
	f->is_unsettled = true;
}

void
link_wait_no_more(struct follower *f, struct want *w)
{
	list_remove(&w->link);
	room_claim_no_more(f, w);
	f->stats.waiting--;
}

static struct want *
take_first(struct follower *f, struct list_link *list)
{
	struct want *w = LIST_ENTRY(list->next, struct want, link);
	link_wait_no_more(f, w);
	return w;
}

static bool
may_transfer(const struct follower *f, const struct follow_link *l)
{
	return l->transfers_n < f->conf.link_transfers_max && f->stats.transferring < f->conf.transfers_max;
}

/* A zone whose transfer ended the link before waits until no other one would be broken off with it; but not for ever. */
static struct list_link *
first_transfers(const struct follower *f, struct follow_link *l)
{
	const struct follow_zone *first = room_is_held_for(f, l);
	if (first != NULL) { /* no other one could begin */
		return first->has_ended_a_link ? &l->alone : &l->transfers;
	}
	bool is_turn_of_alone = (list_is_empty(&l->transfers) && l->transfers_n == 0) || l->passed >= PASSED_MAX;
	return !list_is_empty(&l->alone) && is_turn_of_alone ? &l->alone : &l->transfers;
}

/* From where the next transfer is taken; NULL: none may begin.  None goes before one that waits for memory. */
static struct list_link *
next_transfers(const struct follower *f, struct follow_link *l)
{
	struct list_link *list = first_transfers(f, l);
	if (list_is_empty(list) || !may_transfer(f, l)) {
		return NULL;
	}
	return room_is_there(f, LIST_ENTRY(list->next, struct follow_zone, want.link)) ? list : NULL;
}

/* Something waits that is not held up by the limits of transfers; a link is opened for nothing else. */
static bool
has_waiting(const struct follower *f, struct follow_link *l)
{
	return !list_is_empty(&l->questions) || next_transfers(f, l) != NULL;
}

/* Not at once: anybody can forge an unsigned NOTIFY, and each would cost an attempt. */
void
link_wake(struct follower *f, struct follow_link *l)
{
	uint64_t at_ns = l->failed_ns + seconds_ns(WAKE_S);
	if (!l->is_open && at_ns < l->again_ns) {
		l->again_ns = at_ns;
		f->is_unsettled = true;
	}
}

/* ---- sending one ---- */

/* What waits, or was asked, has failed. */
static void
fail(struct follower *f, const struct now *now, struct want *w, const char *why)
{
	if (w->is_domain) {
		source_rest(f, now, LIST_ENTRY(w, struct source, want), false);
	} else {
		followed_source_failed(f, now, LIST_ENTRY(w, struct follow_zone, want), why);
	}
}

/* False: the link takes no more. */
static bool
send(struct follower *f, const struct now *now, struct follow_link *l, struct want *w)
{
	uint8_t wire[FOLLOWER_QUERY_MAX];
	size_t len;
	struct ask *a;
	err_t err = ask_new(f, l, w, &a);
	if (err != OK) {
		fail(f, now, w, err_str(err));
		return true;
	}
	if (l->asks_n == 0) {
		l->heard_ns = now->mono_ns;
	}
	ask_note_sent(f, a, now);
	err = ask_write(a, false, now->wall_s, wire, &len);
	if (err != OK) {
		ask_end(f, a);
		fail(f, now, w, err_str(err));
		return true;
	}
	return f->conf.io.send(f->conf.io.ctx, l->number, wire, len);
}

/* ---- ends ---- */

static struct want *
want_of(const struct ask *a)
{
	return a->zone != NULL ? &a->zone->want : &a->source->want;
}

static bool
has_begun(const struct ask *a)
{
	return a->in != NULL && incoming_report(a->in)->messages != 0;
}

/* What was asked waits again, or has failed. */
static void
give_back(struct follower *f, const struct now *now, struct follow_link *l, enum link_end how, const char *why)
{
	while (!list_is_empty(&l->asks)) {
		struct ask *a = LIST_ENTRY(l->asks.next, struct ask, link);
		struct want *w = want_of(a);
		bool is_lost = how == LINK_FAULT || (how == LINK_LOST && has_begun(a));
		enum query query = a->query;
		if (is_lost && query == QUERY_CHANGES) { /* a server may not answer them well, and never end */
			a->zone->is_whole_next = true;
		}
		if (is_lost && has_begun(a)) { /* others fail with their link, which is told once */
			ask_say_failed(f, now, a, FOLLOW_FAILED, why);
		}
		ask_end(f, a);
		if (is_lost) {
			fail(f, now, w, why);
		} else if (w->is_domain) {
			link_wait(f, l, w);
		} else {
			followed_wait_again(f, now, LIST_ENTRY(w, struct follow_zone, want), query);
		}
	}
}

static void
fail_all_waiting(struct follower *f, const struct now *now, struct follow_link *l, const char *why)
{
	struct list_link all;
	list_init(&all);
	list_append_all(&all, &l->questions);
	list_append_all(&all, &l->transfers);
	list_append_all(&all, &l->alone);
	list_append_all(&all, &l->datagrams);
	while (!list_is_empty(&all)) {
		fail(f, now, take_first(f, &all), why);
	}
}

/* Secondaries behind a kept link hear nothing until it is there again.  One that ends again and again, soon after it was made, is made less
 * and less often. */
static void
hurry_kept(struct follower *f, const struct now *now, const struct follow_link *l)
{
	for (size_t i = 0; i < f->sources_n; i++) {
		if (f->sources[i]->link == l && f->sources[i]->at.is_kept) {
			unsigned times = l->brief > l->failures ? l->brief : l->failures + 1;
			source_hurry(f, f->sources[i], now->mono_ns + follower_backoff_ns(f, times, FOLLOWER_DOWN_MAX_S));
		}
	}
}

static void
note_failed(struct follower *f, const struct now *now, struct follow_link *l, const char *why)
{
	uint64_t pause = follower_backoff_ns(f, ++l->failures, FOLLOWER_DOWN_MAX_S);
	l->failed_ns = now->mono_ns;
	l->again_ns = now->mono_ns + pause;
	f->stats.links_failed++;
	if (!l->is_told_down) {
		l->is_told_down = true;
		follower_say(f, (struct follow_report){ .event = FOLLOW_LINK_DOWN, .source = &l->at, .why = why,
		                                        .retry_s = (pause + NOW_SECOND_NS - 1) / NOW_SECOND_NS });
	}
}

/* A primary that closes links early is asked less at a time. */
static void
note_early_end(struct follow_link *l)
{
	bool was_cut = l->asks_n > 1 && l->answers != 0;
	if (was_cut && l->answers < l->window) {
		l->window = l->answers;
	}
}

void
link_ended(struct follower *f, const struct now *now, struct follow_link *l, enum link_end how, const char *why)
{
	bool is_deaf = how != LINK_LEFT && l->asks_n != 0 && l->answers == 0;
	l->is_open = false;
	l->brief = now->mono_ns - l->opened_ns < seconds_ns(FOLLOWER_BRIEF_S) ? l->brief + 1 : 1;
	f->stats.links--;
	if (how != LINK_LEFT) {
		note_early_end(l);
	}
	if (is_deaf || how == LINK_FAULT) {
		note_failed(f, now, l, why);
	}
	give_back(f, now, l, is_deaf ? LINK_FAULT : how, why);
	if (is_deaf) {
		fail_all_waiting(f, now, l, why);
	}
	hurry_kept(f, now, l);
	f->is_unsettled = true;
}

void
link_close(struct follower *f, const struct now *now, struct follow_link *l, enum link_end how, const char *why)
{
	f->conf.io.close(f->conf.io.ctx, l->number);
	link_ended(f, now, l, how, why);
}

/* ---- answers and time ---- */

void
link_heard(struct follower *f, const struct now *now, struct follow_link *l)
{
	l->heard_ns = now->mono_ns;
	l->failures = l->unexpected = 0;
	if (++l->answers % (ANSWERS_A_STEP * l->window) == 0 && l->window < FOLLOWER_WINDOW_MAX) {
		l->window++;
	}
	if (l->is_told_down) {
		l->is_told_down = false;
		follower_say(f, (struct follow_report){ .event = FOLLOW_LINK_UP, .source = &l->at });
	}
}

/* We are to close it first (RFC 7828 3.2.2): an eighth of the time is for what is on its way.  Later messages of a transfer say nothing of
 * it. */
void
link_take_idle(struct follow_link *l, const struct ask *a, const struct msg *m)
{
	uint64_t idle_ns = m->edns.idle_100ms * (NOW_SECOND_NS / 10);
	if (m->edns.has_idle) {
		l->idle_ns = idle_ns - idle_ns / 8;
	} else if (a->query == QUERY_SERIAL) {
		l->idle_ns = NOW_NEVER;
	}
}

static uint64_t
idle_at_ns(const struct follow_link *l)
{
	return l->asks_n == 0 && l->idle_ns != NOW_NEVER ? l->heard_ns + l->idle_ns : NOW_NEVER;
}

/* A kept link is used instead, as long as the primary wants to have it; not more often than makes sense: it may close the link then. */
static void
end_idleness(struct follower *f, const struct now *now, struct follow_link *l)
{
	for (size_t i = 0; i < f->sources_n && l->idle_ns != 0; i++) {
		if (f->sources[i]->link == l && f->sources[i]->at.is_kept) {
			uint64_t least_ns = seconds_ns(FOLLOWER_KEEP_MIN_S), pause_ns = l->idle_ns < least_ns ? least_ns - l->idle_ns : 0;
			source_hurry(f, f->sources[i], now->mono_ns + pause_ns);
			l->heard_ns = now->mono_ns + pause_ns;
			return;
		}
	}
	link_close(f, now, l, LINK_LEFT, "it is not needed now");
}

static uint64_t
silent_at_ns(const struct follow_link *l)
{
	return l->asks_n != 0 ? l->heard_ns + seconds_ns(FOLLOWER_SILENCE_S) : NOW_NEVER;
}

static struct ask *
oldest_ask(const struct follow_link *l)
{
	return list_is_empty(&l->asks) ? NULL : LIST_ENTRY(l->asks.next, struct ask, link);
}

/* When the oldest query has waited for too long, though the link brings other answers. */
static uint64_t
lost_at_ns(const struct follow_link *l)
{
	const struct ask *a = oldest_ask(l);
	uint64_t most_s = l->transfers_n != 0 ? FOLLOWER_TRANSFER_MAX_S : FOLLOWER_ANSWER_MAX_S;
	return a != NULL ? a->begun_ns + seconds_ns(most_s) : NOW_NEVER;
}

static uint64_t
deadline_of(const struct follower *f, struct follow_link *l)
{
	if (l->is_open) {
		uint64_t at = silent_at_ns(l) < lost_at_ns(l) ? silent_at_ns(l) : lost_at_ns(l);
		return idle_at_ns(l) < at ? idle_at_ns(l) : at;
	}
	return has_waiting(f, l) ? l->again_ns : NOW_NEVER;
}

void
link_take_time(struct follower *f, const struct now *now, struct follow_link *l)
{
	f->is_unsettled = true;
	if (!l->is_open) {
		return;
	}
	if (silent_at_ns(l) <= now->mono_ns) {
		link_close(f, now, l, LINK_FAULT, "the primary does not answer");
	} else if (lost_at_ns(l) <= now->mono_ns) {
		follower_give_up(f, now, oldest_ask(l), true, "the primary answers other questions, but not this one");
	} else if (idle_at_ns(l) <= now->mono_ns) {
		end_idleness(f, now, l);
	}
}

/* ---- sending ---- */

/* NULL: nothing may be sent now. */
static struct want *
next_want(struct follower *f, struct follow_link *l)
{
	if (l->asks_n >= l->window || l->idle_ns == 0) {
		return NULL;
	}
	struct list_link *transfers = next_transfers(f, l);
	if (transfers != NULL) {
		l->passed = transfers == &l->alone || list_is_empty(&l->alone) ? 0 : l->passed + 1;
		return take_first(f, transfers);
	}
	return list_is_empty(&l->questions) ? NULL : take_first(f, &l->questions);
}

/* Opens it if it may be opened.  False: it is not open. */
static bool
is_open(struct follower *f, const struct now *now, struct follow_link *l)
{
	if (l->is_open || now->mono_ns < l->again_ns) {
		return l->is_open;
	}
	if (!f->conf.io.open(f->conf.io.ctx, l->number, &l->at)) {
		note_failed(f, now, l, "no connection can be made");
		fail_all_waiting(f, now, l, "no connection can be made");
		return false;
	}
	l->is_open = true;
	l->answers = l->unexpected = 0;
	l->heard_ns = l->opened_ns = now->mono_ns;
	l->idle_ns = NOW_NEVER;
	f->stats.links++;
	f->stats.links_opened++;
	return true;
}

static void
claim_room(struct follower *f, struct follow_link *l)
{
	const struct list_link *list = first_transfers(f, l);
	if (!list_is_empty(list)) {
		room_claim(f, l, LIST_ENTRY(list->next, struct follow_zone, want.link));
	}
}

static void
go(struct follower *f, const struct now *now, struct follow_link *l)
{
	struct want *w;
	udp_go(f, now, l);
	claim_room(f, l);
	if (!has_waiting(f, l) || !is_open(f, now, l)) {
		return;
	}
	while ((w = next_want(f, l)) != NULL) {
		if (!send(f, now, l, w)) {
			link_close(f, now, l, LINK_FAULT, "the primary takes no more questions");
			return;
		}
	}
}

static void
set_timer(struct follower *f, struct follow_link *l)
{
	uint64_t at = deadline_of(f, l);
	if (at == NOW_NEVER) {
		heap_remove(&f->link_timers, &l->timer);
	} else if (l->timer.place == 0 || l->timer.at != at) {
		heap_set(&f->link_timers, &l->timer, at);
	}
}

void
follower_settle(struct follower *f, const struct now *now)
{
	while (f->is_unsettled) {
		f->is_unsettled = false;
		f->next_link = f->links_n != 0 ? (f->next_link + 1) % f->links_n : 0;
		for (size_t i = 0; i < f->links_n; i++) {
			go(f, now, f->links[(f->next_link + i) % f->links_n]);
		}
	}
	for (size_t i = 0; i < f->links_n; i++) {
		set_timer(f, f->links[i]);
	}
}
