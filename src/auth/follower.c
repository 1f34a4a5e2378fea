/* What comes in: sources, NOTIFYs, messages, ends of links, the time. */
#include "auth/follower.h"

#include <stdlib.h>
#include <string.h>

#include "auth/follower_p.h"
#include "base/alloc.h"
#include "dns/serial.h"
#include "zone/zone.h"

enum { UNEXPECTED_MAX = 100 }; /* messages in a row that answer nothing */

void
follower_say(const struct follower *f, struct follow_report r)
{
	r.why = r.why != NULL ? r.why : "";
	f->conf.io.report(f->conf.io.ctx, &r);
}

uint64_t
follower_jittered(const struct follower *f, uint64_t ns)
{
	uint64_t part = ns / 10 / NOW_SECOND_NS * 1000; /* in thousandths of a second, so that a random number reaches over it */
	return part != 0 ? ns - f->conf.io.random_u32(f->conf.io.ctx) % part * (NOW_SECOND_NS / 1000) : ns;
}

uint64_t
follower_backoff_ns(const struct follower *f, unsigned failures, uint64_t max_s)
{
	uint64_t s = failures > 20 ? max_s : UINT64_C(1) << (failures - 1);
	return follower_jittered(f, seconds_ns(s < max_s ? s : max_s));
}

/* ---- beginning and end ---- */

struct follower *
follower_new(const struct follower_conf *conf)
{
	struct follower *f = xalloc(sizeof *f);
	struct trie none;
	f->conf = *conf;
	f->conf.zones_max = conf->zones_max != 0 ? conf->zones_max : FOLLOWER_ZONES_MAX;
	f->conf.transfers_max = conf->transfers_max != 0 ? conf->transfers_max : FOLLOWER_TRANSFERS_MAX;
	f->conf.link_transfers_max = conf->link_transfers_max != 0 ? conf->link_transfers_max : FOLLOWER_LINK_TRANSFERS_MAX;
	f->conf.records_max = conf->records_max != 0 ? conf->records_max : SIZE_MAX;
	trie_init(&none, FOLLOW_ZONE_NAME_AT);
	trie_begin(&f->zones, &none);
	list_init(&f->datagram_asks);
	return f;
}

static void
free_zone(void *ctx, void *value)
{
	(void)ctx;
	followed_free(value);
}

static void
free_asks(struct list_link *asks)
{
	while (!list_is_empty(asks)) {
		struct ask *a = LIST_ENTRY(asks->next, struct ask, link);
		list_remove(&a->link);
		ask_free(a);
	}
}

void
follower_free(struct follower **follower)
{
	struct follower *f = *follower;
	if (f == NULL) {
		return;
	}
	free_asks(&f->datagram_asks);
	for (size_t i = 0; i < f->links_n; i++) {
		free_asks(&f->links[i]->asks);
		free(f->links[i]);
	}
	for (size_t i = 0; i < f->sources_n; i++) {
		free(f->sources[i]);
	}
	trie_fini(&f->zones.now, free_zone, NULL);
	trie_rollback(&f->zones);
	heap_fini(&f->zone_timers);
	heap_fini(&f->source_timers);
	heap_fini(&f->link_timers);
	heap_fini(&f->udp_timers);
	free(f);
	*follower = NULL;
}

/* Where a source of this depth belongs: behind those that are as deep. */
static size_t
place_of(const struct follower *f, const struct follow_source *s)
{
	size_t at = 0;
	unsigned depth = name_labels(s->domain);
	while (at < f->sources_n && name_labels(f->sources[at]->at.domain) >= depth) {
		at++;
	}
	return at;
}

err_t
follower_add(struct follower *f, const struct now *now, const struct follow_source *at)
{
	if (f->sources_n == FOLLOWER_SOURCES_MAX) {
		return E_LIMIT;
	}
	TRY(heap_reserve(&f->source_timers, f->sources_n + 1));
	TRY(heap_reserve(&f->udp_timers, FOLLOWER_UDP_MAX));
	struct source *s = try_alloc(sizeof *s);
	struct follow_link *l = s != NULL ? link_get(f, at) : NULL;
	if (l == NULL) {
		free(s);
		return s == NULL ? E_NOMEM : E_LIMIT;
	}
	*s = (struct source){ .at = *at, .link = l, .want.is_domain = true };
	size_t place = place_of(f, at);
	memmove(&f->sources[place + 1], &f->sources[place], (f->sources_n - place) * sizeof f->sources[0]);
	f->sources[place] = s;
	f->sources_n++;
	heap_set(&f->source_timers, &s->timer, now->mono_ns);
	return OK;
}

/* ---- NOTIFY ---- */

/* Does it speak of the zone, or of the name that is no zone yet (z NULL)? */
static bool
speaks_of(const struct source *s, const struct follow_zone *z, const struct follow_notice *n)
{
	return z != NULL ? source_is_of(s, z) : source_is_for(s, n->zone.oct);
}

/* The source that a notice speaks for; -1: none.  The sender's own address is best; a signed notice may come from any address. */
static int
source_of(const struct follower *f, const struct follow_zone *z, const struct follow_notice *n)
{
	int by_key = -1;
	for (size_t i = 0; i < f->sources_n; i++) {
		const struct source *s = f->sources[i];
		bool is_key = n->key.len != 0 && name_is_equal(s->at.key->tsig.name.oct, n->key.oct);
		if (!speaks_of(s, z, n) || (n->key.len != 0 && !is_key)) {
			continue;
		}
		if (key_address_is_equal(&s->at.address, &n->address)) {
			return (int)i;
		}
		by_key = is_key && by_key < 0 ? (int)i : by_key;
	}
	return by_key;
}

/* Not while it is asked about: the answer on its way may be that the zone is gone, and this notice says that it is back. */
static bool
is_old_news(const struct follow_zone *z, const struct follow_notice *n)
{
	return n->has_serial && z->presence == FOLLOW_PRESENT && z->phase != ZONE_ASKED && !serial_is_newer(n->serial, z->version->serial);
}

/* Both together: the newer serial counts, and none if one of them has none. */
static struct serial_hint
hint_with(struct serial_hint h, const struct follow_notice *n)
{
	if (!h.is_set) {
		return (struct serial_hint){ .is_set = true, .has_serial = n->has_serial, .serial = n->serial };
	}
	h.has_serial = h.has_serial && n->has_serial;
	h.serial = h.has_serial ? serial_newest(h.serial, n->serial) : 0;
	return h;
}

/* Its source may have been asked already, or the round may end before that. */
static void
remember(struct follow_zone *z, const struct follow_notice *n, size_t source)
{
	z->later = hint_with(z->later, n);
	if (!z->later.has_serial || z->later.serial == n->serial) {
		z->later_source = (uint16_t)source;
	}
}

static void
take_notice(struct follower *f, struct follow_zone *z, const struct follow_notice *n, size_t source)
{
	struct follow_link *link = f->sources[source]->link, *waits_for = f->sources[z->source]->link;
	link_wake(f, link);
	if (z->phase == ZONE_WAITING && waits_for != link && !waits_for->is_open) { /* it may be minutes until that one is tried again */
		link_wait_no_more(f, &z->want);
		z->phase = ZONE_RESTING;
		followed_begin_round(f, z, source, (struct serial_hint){ 0 }); /* which goes on to that one, for what was wanted of it */
	} else if (z->phase == ZONE_RESTING) {
		followed_begin_round(f, z, source, hint_with((struct serial_hint){ 0 }, n));
	} else if (z->phase == ZONE_ASKED || z->source != source) {
		remember(z, n, source);
	}
}

/* NOTIFYs that came while there was no link are lost, so the answer counts as one.  Not for a zone that fails otherwise than by NOTAUTH:
 * it has a pace of its own, and may itself be why the link has to be made again. */
void
follower_heard_of(struct follower *f, struct follow_zone *z, size_t source, const struct serial_hint *h)
{
	const struct follow_notice n = { .has_serial = h->has_serial, .serial = h->serial };
	bool is_gone_now = !h->has_serial && z->presence == FOLLOW_PRESENT && z->has_good && z->good == source;
	if ((h->has_serial || is_gone_now) && !z->is_aside && (z->failures == 0 || z->is_denied) && !is_old_news(z, &n)) {
		take_notice(f, z, &n, source);
	}
}

void
follower_notice(struct follower *f, const struct now *now, const struct follow_notice *n)
{
	struct follow_zone *z = followed_get(f, n->zone.oct);
	bool is_new = z == NULL || z->is_aside; /* a zone that its catalog lists no more may be found by a key, as any other */
	int source = source_of(f, is_new ? NULL : z, n);
	f->stats.notices++;
	if (source < 0 || (is_new && n->key.len == 0) || (z != NULL && is_old_news(z, n))) {
		f->stats.notices_ignored++;
		return;
	}
	if (z != NULL && z->is_aside) {
		followed_leave(f, z);
	}
	if (z == NULL) {
		link_wake(f, f->sources[source]->link);
		err_t err = followed_add(f, now, n->zone.oct, (size_t)source);
		(void)err; /* it was reported */
	} else {
		take_notice(f, z, n, (size_t)source);
	}
	follower_settle(f, now);
}

/* ---- links ---- */

void
follower_input(struct follower *f, const struct now *now, unsigned link, const uint8_t *bytes, size_t len)
{
	struct follow_link *l = f->links[link];
	struct msg m;
	if (msg_parse(bytes, len, &m) != OK) {
		f->stats.malformed++;
		link_close(f, now, l, LINK_FAULT, "the primary sends what is no DNS message");
		follower_settle(f, now);
		return;
	}
	struct ask *a = link_ask(l, m.id);
	if (a == NULL || !ask_is_answered_by(a, &m)) {
		f->stats.unexpected++;
		if (++l->unexpected > UNEXPECTED_MAX) {
			link_close(f, now, l, LINK_FAULT, "the primary sends answers that nobody has asked for");
			follower_settle(f, now);
		}
		return;
	}
	link_heard(f, now, l);
	link_take_idle(l, a, &m);
	follower_take_answer(f, now, a, &m);
	follower_settle(f, now);
}

void
follower_closed(struct follower *f, const struct now *now, unsigned link, const char *why)
{
	ASSERT(link < f->links_n && f->links[link]->is_open);
	link_ended(f, now, f->links[link], LINK_LOST, why);
	follower_settle(f, now);
}

/* ---- time ---- */

static uint64_t
first_of(const struct heap *h, uint64_t at)
{
	const struct heap_node *n = heap_first(h);
	return n != NULL && n->at < at ? n->at : at;
}

uint64_t
follower_deadline(const struct follower *f)
{
	uint64_t asked = first_of(&f->link_timers, first_of(&f->udp_timers, NOW_NEVER));
	return first_of(&f->zone_timers, first_of(&f->source_timers, asked));
}

/* The next node that is due, which is taken out; NULL: none is. */
static struct heap_node *
take_due(struct heap *h, const struct now *now)
{
	struct heap_node *n = heap_first(h);
	if (n == NULL || n->at > now->mono_ns) {
		return NULL;
	}
	heap_remove(h, n);
	return n;
}

void
follower_timer(struct follower *f, const struct now *now)
{
	struct heap_node *n;
	catalogs_show_unknown(f);
	while ((n = take_due(&f->link_timers, now)) != NULL) {
		link_take_time(f, now, LIST_ENTRY(n, struct follow_link, timer));
	}
	while ((n = take_due(&f->udp_timers, now)) != NULL) {
		udp_take_time(f, now, LIST_ENTRY(n, struct datagram, timer));
	}
	while ((n = take_due(&f->source_timers, now)) != NULL) {
		source_begin(f, LIST_ENTRY(n, struct source, timer));
	}
	while ((n = take_due(&f->zone_timers, now)) != NULL) {
		followed_take_time(f, now, LIST_ENTRY(n, struct follow_zone, timer));
	}
	follower_settle(f, now);
}

/* ---- what there is to see ---- */

const struct follower_stats *
follower_stats(const struct follower *f)
{
	return &f->stats;
}

static uint64_t
seconds_until(uint64_t at_ns, const struct now *now)
{
	return at_ns == NOW_NEVER ? UINT64_MAX : at_ns > now->mono_ns ? (at_ns - now->mono_ns) / NOW_SECOND_NS : 0;
}

/* When a zone is asked about next; if it waits, when its turn may come: at once, or when its primary is tried again. */
static uint64_t
next_ns(const struct follower *f, const struct follow_zone *z)
{
	const struct follow_link *l = f->sources[z->source]->link;
	switch (z->phase) {
	case ZONE_RESTING: return z->due_ns;
	case ZONE_WAITING: return l->is_open ? 0 : l->again_ns;
	default: return NOW_NEVER;
	}
}

static struct follow_state
state_of(const struct follower *f, const struct now *now, const struct follow_zone *z)
{
	return (struct follow_state){
		.zone = z->apex, .presence = z->presence, .catalog = z->member != NULL ? z->member->catalog->zone->apex : NULL,
		.has_serial = z->version != NULL, .serial = z->version != NULL ? z->version->serial : 0,
		.refreshed_ago_s = z->version != NULL ? (now->mono_ns - z->refreshed_ns) / NOW_SECOND_NS : UINT64_MAX,
		.transferred_ago_s = z->version != NULL ? (now->mono_ns - z->taken_ns) / NOW_SECOND_NS : UINT64_MAX,
		.next_s = seconds_until(next_ns(f, z), now),
		.expires_s = seconds_until(z->expires_ns, now),
		.source = z->has_good ? &f->sources[z->good]->at : NULL,
		.transfer_octets = z->transfer_octets, .transfer_ms = z->transfer_ms,
		.trouble = z->trouble != NULL ? z->trouble : "",
	};
}

void
follower_each(const struct follower *f, const struct now *now, void (*each)(void *ctx, const struct follow_state *s), void *ctx)
{
	struct trie_iter it;
	const struct follow_zone *z;
	trie_iter_first(&it, &f->zones.now);
	while ((z = trie_iter_next(&it)) != NULL) {
		const struct follow_state s = state_of(f, now, z);
		each(ctx, &s);
	}
}
