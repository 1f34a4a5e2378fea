/* The states of a zone. */
#include <stdlib.h>
#include <string.h>

#include "auth/follower_p.h"
#include "base/alloc.h"
#include "base/str.h"
#include "dns/rdata.h"
#include "dns/serial.h"
#include "zone/zone.h"

enum { SHOW_AGAIN_S = 1, FORGET_AGAIN_S = 10 };

/* ---- sources of a zone ---- */

bool
source_is_for(const struct source *s, const uint8_t *apex)
{
	return name_is_within(apex, s->at.domain);
}

bool
source_is_of(const struct source *s, const struct follow_zone *z)
{
	return source_is_for(s, z->apex) || (z->member != NULL && source_is_for(s, z->member->catalog->zone->apex));
}

/* The next source of the zone from that number on, in a circle; there is one, by which the zone was found. */
static uint16_t
source_from(const struct follower *f, const struct follow_zone *z, size_t from)
{
	size_t i = from % f->sources_n;
	while (!source_is_of(f->sources[i], z)) {
		i = (i + 1) % f->sources_n;
	}
	return (uint16_t)i;
}

size_t
followed_first_source(const struct follower *f, const struct follow_zone *z)
{
	return z->has_good ? z->good : source_from(f, z, 0);
}

/* ---- rest and work ---- */

void
followed_set_timer(struct follower *f, struct follow_zone *z)
{
	uint64_t at = z->phase == ZONE_RESTING && z->due_ns < z->expires_ns ? z->due_ns : z->expires_ns;
	if (at == NOW_NEVER) {
		heap_remove(&f->zone_timers, &z->timer);
	} else {
		heap_set(&f->zone_timers, &z->timer, at);
	}
}

void
followed_wait(struct follower *f, struct follow_zone *z, enum query query)
{
	z->phase = ZONE_WAITING;
	z->query = query;
	followed_set_timer(f, z);
	link_wait(f, f->sources[z->source]->link, &z->want);
}

/* Once more, unless its catalog has other plans with it. */
void
followed_wait_again(struct follower *f, const struct now *now, struct follow_zone *z, enum query query)
{
	if (z->demand != DEMAND_NOTHING) {
		followed_carry_out(f, now, z);
	} else {
		followed_wait(f, z, query);
	}
}

void
followed_begin_round(struct follower *f, struct follow_zone *z, size_t source, struct serial_hint wanted)
{
	ASSERT(z->phase == ZONE_RESTING);
	z->first = z->source = (uint16_t)source;
	z->is_current = z->is_denied = z->is_denied_by_good = z->is_any_unheard = false;
	z->is_link_next = false;
	z->wanted = wanted;
	z->later = (struct serial_hint){ 0 };
	followed_wait(f, z, QUERY_SERIAL);
}

void
followed_ask_all(struct follower *f, struct follow_zone *z)
{
	followed_begin_round(f, z, followed_first_source(f, z), (struct serial_hint){ 0 });
}

void
followed_hurry(struct follower *f, struct follow_zone *z, uint64_t at_ns)
{
	if (at_ns < z->due_ns) {
		z->due_ns = at_ns;
		followed_set_timer(f, z);
	}
}

/* Do we serve what the NOTIFYs tell of, or more? */
static bool
has_serial_of(const struct follow_zone *z, const struct serial_hint *h)
{
	return h->has_serial && z->presence == FOLLOW_PRESENT && !serial_is_newer(h->serial, z->version->serial);
}

static void
rest(struct follower *f, const struct now *now, struct follow_zone *z, uint64_t ns)
{
	z->phase = ZONE_RESTING;
	if (z->demand != DEMAND_NOTHING) {
		followed_carry_out(f, now, z);
		return;
	}
	z->due_ns = now->mono_ns + ns;
	followed_set_timer(f, z);
	if (z->later.is_set && !has_serial_of(z, &z->later)) {
		followed_begin_round(f, z, z->later_source, z->later);
	}
}

/* ---- what is shown ---- */

err_t
followed_tell_owner(const struct follower *f, const struct follow_zone *z)
{
	bool is_to_be_told = z->member != NULL && f->conf.io.belongs != NULL;
	return is_to_be_told ? f->conf.io.belongs(f->conf.io.ctx, z->apex, z->member->catalog->zone->apex) : OK;
}

bool
followed_show(struct follower *f, struct follow_zone *z, enum follow_presence presence)
{
	err_t err = followed_tell_owner(f, z);
	err = err == OK ? f->conf.io.show(f->conf.io.ctx, z->apex, presence) : err;
	if (err != OK) {
		follower_say(f, (struct follow_report){ .event = FOLLOW_NO_ROOM, .zone = z->apex, .why = err_str(err) });
		return false;
	}
	z->presence = presence;
	return true;
}

/* What the timer of what is shown could not show. */
void
followed_show_again(const struct now *now, struct follow_zone *z)
{
	z->expires_ns = now->mono_ns + seconds_ns(SHOW_AGAIN_S);
}

static void
set_trouble(struct follow_zone *z, const char *why)
{
	if (why == NULL) {
		free(z->trouble);
		z->trouble = NULL;
		return;
	}
	if (z->trouble == NULL) {
		z->trouble = try_alloc(TROUBLE_MAX);
	}
	if (z->trouble != NULL) {
		str_cut(z->trouble, TROUBLE_MAX, why);
	}
}

/* ---- a zone's beginning and end ---- */

struct follow_zone *
followed_get(const struct follower *f, const uint8_t *apex)
{
	struct nkey key;
	nkey_set(&key, apex);
	return trie_get(&f->zones.now, &key);
}

void
followed_free(struct follow_zone *z)
{
	free(z->trouble);
	free(z->member);
	free(z);
}

err_t
followed_put(struct follower *f, const uint8_t *apex, struct follow_zone **out)
{
	size_t len = name_len(apex);
	void *old;
	if (f->stats.zones >= f->conf.zones_max) {
		return E_LIMIT;
	}
	TRY(heap_reserve(&f->zone_timers, f->stats.zones + 1));
	struct follow_zone *z = try_alloc(sizeof *z + len);
	if (z == NULL) {
		return E_NOMEM;
	}
	z->apex_len = (uint8_t)len;
	memcpy(z->apex, apex, len);
	z->due_ns = z->expires_ns = NOW_NEVER;
	err_t err = trie_put(&f->zones, z, &old);
	if (err != OK) {
		free(z);
		return err;
	}
	f->stats.zones++;
	*out = z;
	return OK;
}

void
followed_drop(struct follower *f, struct follow_zone *z)
{
	struct nkey key;
	heap_remove(&f->zone_timers, &z->timer);
	nkey_set(&key, z->apex);
	(void)trie_remove(&f->zones, &key);
	f->stats.zones--;
	followed_free(z);
}

err_t
followed_add(struct follower *f, const struct now *now, const uint8_t *apex, size_t source)
{
	struct follow_zone *z;
	err_t err = followed_put(f, apex, &z);
	if (err != OK) {
		follower_say(f, (struct follow_report){ .event = FOLLOW_FAILED, .zone = apex, .source = &f->sources[source]->at,
		                                        .why = err == E_LIMIT ? "too many zones are followed" : err_str(err) });
		return err;
	}
	follower_say(f, (struct follow_report){ .event = FOLLOW_FOUND, .zone = z->apex, .source = &f->sources[source]->at });
	followed_begin(f, now, z, source);
	return OK;
}

void
followed_begin(struct follower *f, const struct now *now, struct follow_zone *z, size_t source)
{
	if (!followed_show(f, z, FOLLOW_NEW)) {
		followed_show_again(now, z);
	}
	followed_begin_round(f, z, source, (struct serial_hint){ 0 });
}

bool
followed_forget(struct follower *f, const struct now *now, struct follow_zone *z)
{
	if (!followed_show(f, z, FOLLOW_FORGOTTEN)) {
		return false;
	}
	struct name name;
	name_set(&name, z->apex);
	followed_drop(f, z);
	if (name_is_root(name.oct)) {
		catalogs_lost_root(f);
	}
	for (size_t i = 0; i < f->sources_n; i++) {
		if (name_is_equal(f->sources[i]->at.domain, name.oct)) {
			source_lost_zone(f, now, f->sources[i]);
		}
	}
	return true;
}

/* ---- failures ---- */

/* Without a version, or while nobody knows whether it counts: 1, 2, 4, … s.  With one: RETRY, longer with each failure, up to REFRESH. */
static uint64_t
pause_ns(const struct follower *f, const struct follow_zone *z)
{
	if (z->version == NULL || z->presence == FOLLOW_UNKNOWN) {
		return follower_backoff_ns(f, z->failures, FOLLOWER_NEW_MAX_S);
	}
	uint64_t most_s = z->times.refresh_s > z->times.retry_s ? z->times.refresh_s : z->times.retry_s;
	uint64_t s = (uint64_t)z->times.retry_s << (z->failures > 16 ? 16 : z->failures - 1);
	return follower_jittered(f, seconds_ns(s < most_s ? s : most_s));
}

/* Has the round shown that the zone is gone?  Not if one source denies it while another one cannot be heard: the
 * latter may have it, and the former may not know it yet, or lag behind.  The one that had it last knows. */
static bool
is_gone(const struct follow_zone *z)
{
	return z->is_denied && !z->is_current && (z->is_denied_by_good || !z->is_any_unheard) && !followed_is_pinned(z);
}

bool
followed_is_to_be_withdrawn(const struct follow_zone *z)
{
	return z->presence == FOLLOW_PRESENT || z->presence == FOLLOW_UNKNOWN;
}

static void
withdraw(struct follower *f, const struct now *now, struct follow_zone *z)
{
	if (z->presence != FOLLOW_WITHDRAWN) {
		follower_say(f, (struct follow_report){ .event = FOLLOW_GONE, .zone = z->apex, .source = &f->sources[z->source]->at });
	}
	bool has_nothing = z->presence == FOLLOW_NEW || z->presence == FOLLOW_EXPIRED;
	if (has_nothing && !z->later.is_set) { /* else a NOTIFY has come that it is back */
		z->phase = ZONE_RESTING;
		if (followed_forget(f, now, z)) {
			return;
		}
	} else if (followed_is_to_be_withdrawn(z)) {
		(void)followed_show(f, z, FOLLOW_WITHDRAWN);
	} /* if either fails, the next answer of that kind tries again */
	rest(f, now, z, pause_ns(f, z));
}

static uint64_t
refresh_ns(const struct follower *f, const struct follow_zone *z)
{
	return follower_jittered(f, seconds_ns(z->times.refresh_s));
}

static uint64_t
left_ns(const struct follow_zone *z, const struct now *now)
{
	return z->due_ns > now->mono_ns ? z->due_ns - now->mono_ns : 0;
}

/* A round that did not ask all sources puts off the next one that does no further. */
static void
rest_refreshed(struct follower *f, const struct now *now, struct follow_zone *z, bool were_all_asked)
{
	uint64_t ns = refresh_ns(f, z), left = left_ns(z, now);
	rest(f, now, z, were_all_asked || ns < left ? ns : left);
}

/* Nor does one that failed before its time, as a NOTIFY had begun it: RETRY may be longer than REFRESH. */
static void
rest_failed(struct follower *f, const struct now *now, struct follow_zone *z)
{
	uint64_t ns = pause_ns(f, z), left = left_ns(z, now);
	rest(f, now, z, left == 0 || ns < left ? ns : left);
}

static void
end_round(struct follower *f, const struct now *now, struct follow_zone *z, bool were_all_asked)
{
	z->failures += !z->is_current;
	if (z->is_current) {
		rest_refreshed(f, now, z, were_all_asked);
	} else if (is_gone(z)) {
		withdraw(f, now, z);
	} else {
		rest_failed(f, now, z);
	}
}

/* On to the next source: it may have a newer version than the one before.  A NOTIFY asks for no more than the
 * version it tells of: whoever has a newer one sends another. */
void
followed_go_on(struct follower *f, const struct now *now, struct follow_zone *z)
{
	uint16_t next = source_from(f, z, z->source + 1u);
	bool is_found = z->wanted.is_set && z->is_current && has_serial_of(z, &z->wanted);
	if (next == z->first || is_found || z->demand != DEMAND_NOTHING) {
		end_round(f, now, z, next == z->first);
		return;
	}
	z->source = next;
	z->is_link_next = false;
	followed_wait(f, z, QUERY_SERIAL);
}

void
followed_source_failed(struct follower *f, const struct now *now, struct follow_zone *z, const char *why)
{
	z->is_any_unheard = true;
	set_trouble(z, why);
	followed_go_on(f, now, z);
}

void
followed_is_behind(struct follower *f, const struct now *now, struct follow_zone *z)
{
	z->is_any_unheard = true;
	followed_go_on(f, now, z);
}

/* The version came from another source, less than REFRESH ago: a secondary that has missed a NOTIFY learns of it within that time. */
bool
followed_may_be_behind(const struct follow_zone *z, const struct now *now)
{
	return z->has_good && z->source != z->good && now->mono_ns - z->taken_ns < seconds_ns(z->times.refresh_s);
}

void
followed_denied(struct follower *f, const struct now *now, struct follow_zone *z)
{
	static const char why[] = "the primary has no such zone (NOTAUTH)";
	z->is_denied = true;
	z->is_denied_by_good |= z->has_good && z->source == z->good;
	if (followed_is_pinned(z)) {
		f->stats.failed++;
		follower_say(f, (struct follow_report){ .event = FOLLOW_FAILED, .zone = z->apex, .source = &f->sources[z->source]->at,
		                                        .why = why });
	}
	set_trouble(z, why);
	followed_go_on(f, now, z);
}

/* ---- success ---- */

static uint32_t
within(uint32_t n, uint32_t least, uint32_t most)
{
	return n < least ? least : n > most ? most : n;
}

static struct soa_times
times_within(const struct follow_bounds *b, const struct zone *version)
{
	const struct rr *rr = rrset_first(version->soa);
	struct soa soa;
	err_t err = rdata_read_soa(rr->rdata, rr->rdlen, &soa);
	ASSERT(err == OK); /* of a zone that was built */
	uint32_t refresh_s = within(soa.refresh_s, b->refresh_min, b->refresh_max);
	uint32_t retry_s = within(soa.retry_s, b->retry_min, b->retry_max);
	uint32_t expire_s = within(soa.expire_s, b->expire_min, b->expire_max);
	/* RFC 1912 2.2: else a zone whose primary is well would expire between two refreshes. */
	uint32_t least_s = refresh_s < UINT32_MAX - retry_s ? refresh_s + retry_s : UINT32_MAX;
	return (struct soa_times){ .refresh_s = refresh_s, .retry_s = retry_s, .expire_s = expire_s < least_s ? least_s : expire_s };
}

struct soa_times
followed_times(const struct follower *f, const struct zone *version)
{
	return times_within(&f->conf.bounds, version);
}

uint32_t
follow_expire_s(const struct follow_bounds *b, const struct zone *version)
{
	return times_within(b, version).expire_s;
}

static void
note_refreshed(struct follow_zone *z, const struct now *now)
{
	z->good = z->is_current ? z->good : z->source; /* the first one of the round */
	z->has_good = z->is_current = true;
	z->failures = 0;
	z->refreshed_ns = now->mono_ns;
	z->expires_ns = now->mono_ns + seconds_ns(z->times.expire_s);
}

void
followed_is_current(struct follower *f, const struct now *now, struct follow_zone *z)
{
	if (z->presence != FOLLOW_PRESENT && !followed_show(f, z, FOLLOW_PRESENT)) {
		rest(f, now, z, follower_backoff_ns(f, ++z->failures, FOLLOWER_NEW_MAX_S));
		return;
	}
	note_refreshed(z, now);
	set_trouble(z, NULL);
	struct followed_catalog *c = followed_as_catalog(f, z);
	if (c != NULL) {
		catalog_is_current(f, now, c);
	}
	followed_go_on(f, now, z);
}

void
followed_taken(struct follower *f, const struct now *now, struct follow_zone *z, const struct zone *version)
{
	z->version = version;
	z->presence = FOLLOW_PRESENT;
	z->taken_ns = now->mono_ns;
	z->times = followed_times(f, version);
	z->is_current = z->is_whole_next = z->has_ended_a_link = z->needs_all_room = false;
	note_refreshed(z, now);
	set_trouble(z, NULL);
	struct followed_catalog *c = followed_as_catalog(f, z);
	if (c != NULL) {
		catalog_taken(f, now, c);
	}
}

/* ---- time ---- */

/* The time of what is shown has come. */
static void
change_by_itself(struct follower *f, const struct now *now, struct follow_zone *z)
{
	bool is_ours = followed_is_to_be_withdrawn(z) || (z->presence == FOLLOW_WITHDRAWN && followed_is_pinned(z));
	enum follow_presence next = is_ours ? FOLLOW_EXPIRED : z->presence;
	z->expires_ns = NOW_NEVER;
	if (next == FOLLOW_WITHDRAWN) { /* it cannot go while it is asked about */
		z->expires_ns = now->mono_ns + seconds_ns(FORGET_AGAIN_S);
	} else if (!followed_show(f, z, next)) {
		followed_show_again(now, z);
	} else if (next == FOLLOW_EXPIRED) {
		follower_say(f, (struct follow_report){ .event = FOLLOW_EXPIRY, .zone = z->apex, .serial = z->version->serial });
	}
}

void
followed_take_time(struct follower *f, const struct now *now, struct follow_zone *z)
{
	bool is_over = z->expires_ns <= now->mono_ns;
	if (is_over && z->phase == ZONE_RESTING && z->presence == FOLLOW_WITHDRAWN && !followed_is_pinned(z)) {
		if (followed_forget(f, now, z)) {
			return;
		}
		followed_show_again(now, z);
	} else if (is_over) {
		change_by_itself(f, now, z);
	}
	if (z->phase == ZONE_RESTING && z->due_ns <= now->mono_ns && z->demand != DEMAND_NOTHING) {
		followed_carry_out(f, now, z);
	} else if (z->phase == ZONE_RESTING && z->due_ns <= now->mono_ns) {
		followed_ask_all(f, z);
	} else {
		followed_set_timer(f, z);
	}
}
