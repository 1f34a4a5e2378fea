/* Sources: the question about the domain of each, and the primaries of a zone. */
#include "auth/follower_p.h"

enum { CATCH_UP_CALM_S = 2 * FOLLOWER_DOMAIN_S };

/* ---- the question about its domain ---- */

/* At first nobody knows which names in the domain are ours.  When the domain is no zone, NOTIFYs for those in it follow the first
 * answer. */
static void
show_unknown(struct follower *f, struct source *s)
{
	if (s->answers < SOURCE_ANSWERS_SURE && !s->is_shown && followed_get(f, s->at.domain) == NULL) {
		s->is_shown = f->conf.io.show(f->conf.io.ctx, s->at.domain, FOLLOW_UNKNOWN) == OK;
	}
}

void
source_begin(struct follower *f, struct source *s)
{
	show_unknown(f, s);
	link_wait(f, s->link, &s->want);
}

/* Each source may have zones in it that no other one has.  So one that is silent keeps the domain unknown, whatever the others say. */
static bool
is_known(const struct follower *f, const uint8_t *domain)
{
	bool is = !name_is_root(domain) || catalogs_are_known(f);
	for (size_t i = 0; i < f->sources_n; i++) {
		const struct source *s = f->sources[i];
		is &= s->answers == SOURCE_ANSWERS_SURE || !name_is_equal(s->at.domain, domain);
	}
	return is;
}

static bool
is_shown_unknown(const struct follower *f, const uint8_t *domain)
{
	bool is = name_is_root(domain) && f->unknown != UNKNOWN_NOTHING;
	for (size_t i = 0; i < f->sources_n; i++) {
		is |= f->sources[i]->is_shown && name_is_equal(f->sources[i]->at.domain, domain);
	}
	return is;
}

static void
note_known(struct follower *f, const uint8_t *domain)
{
	for (size_t i = 0; i < f->sources_n; i++) {
		f->sources[i]->is_shown &= !name_is_equal(f->sources[i]->at.domain, domain);
	}
	f->unknown = name_is_root(domain) ? UNKNOWN_NOTHING : f->unknown;
}

void
domain_end_unknown(struct follower *f, const uint8_t *domain)
{
	if (!is_shown_unknown(f, domain) || !is_known(f, domain)) {
		return;
	}
	bool is_zone = followed_get(f, domain) != NULL; /* it is shown as that now */
	if (is_zone || f->conf.io.show(f->conf.io.ctx, domain, FOLLOW_FORGOTTEN) == OK) {
		note_known(f, domain);
	}
}

/* Has a NOTIFY about it been lost, perhaps?  Also one that was asked about over this link: NOTIFYs come only since the primary has heard
 * the question about the domain.  One that fails otherwise than by NOTAUTH has a pace of its own.  The zone that is the domain was heard of
 * by the answer itself. */
static bool
may_be_missed(const struct source *s, const struct follow_zone *z)
{
	bool is_well = !z->is_aside && (z->failures == 0 || z->is_denied);
	return is_well && z->version != NULL && source_is_of(s, z) && !name_is_equal(z->apex, s->at.domain);
}

uint16_t
source_number(const struct follower *f, const struct source *s)
{
	uint16_t i = 0;
	while (f->sources[i] != s) {
		i++;
	}
	return i;
}

/* What it is asked now may have been asked before that. */
static void
ask_again(struct follow_zone *z, uint16_t source)
{
	z->later = (struct serial_hint){ .is_set = true };
	z->later_source = source;
}

/* At once, but less and less often for a link that ends again and again: some primaries close it whenever it was idle for seconds. */
static uint64_t
catch_up_at(const struct follower *f, const struct now *now, struct source *s)
{
	bool is_again = s->catch_ups != 0 && now->mono_ns < s->caught_up_ns + seconds_ns(CATCH_UP_CALM_S);
	s->catch_ups = is_again ? s->catch_ups + 1 : 1;
	uint64_t at_ns = is_again ? s->caught_up_ns + follower_backoff_ns(f, s->catch_ups, FOLLOWER_DOMAIN_S) : now->mono_ns;
	s->caught_up_ns = at_ns > now->mono_ns ? at_ns : now->mono_ns;
	return s->caught_up_ns;
}

/* No NOTIFY could come while a kept link was not there.  So what is in the domain is asked about soon, one zone
 * after the other: its primary may have many secondaries whose links are made again at the same time. */
static void
catch_up(struct follower *f, const struct now *now, struct source *s)
{
	struct trie_iter it;
	struct follow_zone *z;
	uint64_t at_ns = catch_up_at(f, now, s);
	uint16_t number = source_number(f, s);
	trie_iter_first(&it, &f->zones.now);
	while ((z = trie_iter_next(&it)) != NULL) {
		if (!may_be_missed(s, z)) {
			continue;
		}
		if (z->phase == ZONE_RESTING) {
			followed_hurry(f, z, at_ns);
			at_ns += NOW_SECOND_NS / FOLLOWER_CATCH_UP_A_S;
		} else if (z->phase == ZONE_ASKED && z->source == number) {
			ask_again(z, number);
		}
	}
}

void
source_answered(struct follower *f, const struct now *now, struct source *s, bool is_zone)
{
	bool was_away = s->answers != 0 && s->answered_ns < s->link->opened_ns;
	s->answers += s->answers < SOURCE_ANSWERS_SURE;
	s->answered_ns = now->mono_ns;
	if (is_zone) {
		s->is_shown = false;
	} else {
		domain_end_unknown(f, s->at.domain);
	}
	if (was_away && s->at.is_kept) {
		catch_up(f, now, s);
	}
}

void
source_lost_zone(struct follower *f, const struct now *now, struct source *s)
{
	s->is_shown = false;
	if (s->answers == 0) { /* what it has there is as unknown as at first */
		show_unknown(f, s);
	}
	source_hurry(f, s, now->mono_ns + follower_jittered(f, seconds_ns(FOLLOWER_NEW_MAX_S)));
}

void
source_rest(struct follower *f, const struct now *now, struct source *s, bool is_answered)
{
	uint64_t next_s = followed_get(f, s->at.domain) != NULL      ? FOLLOWER_DOMAIN_S
	                  : s->answers < SOURCE_ANSWERS_SURE ? FOLLOWER_FIND_S
	                                                     : FOLLOWER_NEW_MAX_S;
	s->failures = is_answered ? 0 : s->failures + 1;
	uint64_t pause = is_answered ? follower_jittered(f, seconds_ns(next_s))
	                             : follower_backoff_ns(f, s->failures, FOLLOWER_NEW_MAX_S);
	heap_set(&f->source_timers, &s->timer, now->mono_ns + pause);
}

void
source_hurry(struct follower *f, struct source *s, uint64_t at_ns)
{
	if (s->timer.place != 0 && at_ns < s->timer.at) {
		heap_set(&f->source_timers, &s->timer, at_ns);
	}
}

/* ---- for others ---- */

static bool
has_primary(const struct follow_source *const *list, size_t n, const struct follow_source *s)
{
	size_t i = 0;
	while (i < n && (list[i]->port != s->port || !key_address_is_equal(&list[i]->address, &s->address))) {
		i++;
	}
	return i < n;
}

size_t
follower_sources(const struct follower *f, const uint8_t *zone, const struct follow_source **out, size_t cap)
{
	const struct follow_zone *z = followed_get(f, zone);
	size_t n = 0, first = z != NULL && z->has_good ? z->good : 0;
	for (size_t i = 0; z != NULL && i < f->sources_n && n < cap; i++) {
		const struct source *s = f->sources[(first + i) % f->sources_n];
		if (source_is_of(s, z) && !has_primary(out, n, &s->at)) {
			out[n++] = &s->at;
		}
	}
	return n;
}
