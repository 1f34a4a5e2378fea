/* What must hold, whatever happens:
 *
 *   1. A secondary serves only versions that a primary has served, record by record.
 *   2. The serial that a reader sees of a zone at one secondary does not go back (RFC 1982), unless since then the secondary was killed
 *      (without a state directory it forgets everything), or the zone expired there or was forgotten (only then is an older serial taken
 *      from a primary that has begun anew).
 *   3. A zone that a secondary serves is not served any more only when it has expired (no parent has said for EXPIRE that the version is
 *      the newest), or when its primary was without it at some time after that version.  Not held to: a secondary that was killed, and
 *      has no memory since to show what it follows, denies that to those that follow it; see is_parent_blind().  Whoever follows a catalog
 *      may do so as well when the catalog, as it serves it, does not list the zone: that may be older than what it has of the zone.
 *   4. A zone that no parent has confirmed for EXPIRE is not served, as soon as there is memory for that.
 *   5. With a state directory, what a zone's file had when the process ended is there after the next start (served, unless it has expired
 *      or is withdrawn), or what was written later and only in part; and what readers see does not go back behind it.  EXPIRE counts from
 *      the last refresh on, or from one that is older by a sixteenth of EXPIRE at most.
 *      What may be lost instead: what waited to be written, or could not be; what was not on the disk for sure when the power failed; and a
 *      file from the octet on that is spoilt, or as a whole.  Then an older version may be served, that was there once (1), and it may expire
 *      earlier, but not later.  By how much the clock changes, by so much EXPIRE may be counted wrong.
 *   6. Packets, notifications, subscriptions, memory, and the messages of an hour are bounded.
 *   7. No update that was acknowledged is lost, none that was refused is served, and those of one client stay in order: see clients.c.
 *   8. After the last fault and a push all serve what the primary serves within plan_settle_ns(), and those that cannot be reached have a
 *      subscription again for each zone that may come; from then on a push arrives within plan_prompt_ns(), since no NOTIFY is lost any
 *      more.  Without any NOTIFY each asks all of its parents within REFRESH, and the newest version counts: so a push arrives by the
 *      shortest way, within plan_refresh_ns().
 */
#include <inttypes.h>

#include "auth/catalog_read.h"
#include "dns/serial.h"
#include "git.h"
#include "zone/digest.h"

enum { CATALOG_RETRY_S = 600, EXPIRE_SLACK_S = 1, ROOM_SLACK_S = 2, OCTETS_MAX = 8 << 20, PENDING_MAX = 400, SUBSCRIPTIONS_LIMIT = 1000 };

int
zone_number(const struct world *w, const uint8_t *apex)
{
	for (unsigned z = 0; z < w->plan->zones_n; z++) {
		if (name_is_equal(w->plan->zones[z].name.oct, apex)) {
			return (int)z;
		}
	}
	return -1;
}

/* ---- what is served ---- */

/* The same version, as its primary served it first.  NULL: it never did. */
static const struct version *
version_of(const struct world *w, unsigned zone, const struct zone *z)
{
	uint64_t digest = zone_digest(z);
	for (size_t i = 0; i < w->versions_n; i++) {
		const struct version *v = &w->versions[i];
		if (v->zone == zone && v->serial == z->serial && v->digest == digest) {
			return v;
		}
	}
	return NULL;
}

static void
check_version(struct sim_node *n, unsigned zone, const struct zone *z)
{
	struct shown *s = &n->shown[zone];
	const struct version *v = version_of(n->world, zone, z);
	if (v == NULL) {
		world_break(n->world, "node %u serves zone %u with serial %u, as no primary ever did", n->number, zone, z->serial);
	}
	if (s->has_seen && z->serial != s->seen && !serial_is_newer(z->serial, s->seen)) {
		world_break(n->world, "node %u serves zone %u with serial %u after %u", n->number, zone, z->serial, s->seen);
	}
	s->made_ns = v != NULL ? v->made_ns : 0;
	s->is_served = s->has_seen = true;
	s->seen = z->serial;
}

static uint64_t
expire_ns(const struct world *w, unsigned zone)
{
	const struct plan_zone *z = &w->plan->zones[zone];
	uint32_t least_s = z->refresh_s + z->retry_s;
	return (z->expire_s < least_s ? least_s : z->expire_s) * SECOND;
}

/* Is there a secondary on the way from the primary that was started after that time, and had no memory then to show what it follows? */
static bool
is_parent_blind(const struct sim_node *n, unsigned primary, uint64_t since_ns)
{
	const struct plan *p = n->world->plan;
	for (size_t i = 0; i < p->edges_n; i++) {
		const struct plan_edge *e = &p->edges[i];
		const struct sim_node *parent = &n->world->nodes[e->parent];
		if (e->child == n->number && e->primary == primary && !node_is_primary(parent) &&
		    ((parent->started_ns > since_ns && node_is_blind(parent)) || parent->blind_ns > since_ns ||
		     is_parent_blind(parent, primary, since_ns))) {
			return true;
		}
	}
	return false;
}

/* As the node serves the catalog. */
static bool
is_unlisted(const struct sim_node *n, unsigned zone)
{
	const struct plan_zone *z = &n->world->plan->zones[zone];
	const struct zone *catalog = n->world->plan->by_catalog[n->number][z->primary]
		? view_zone(node_view(n), n->world->plan->catalogs[z->primary].oct) : NULL;
	struct catalog_list list;
	char why[CATALOG_WHY_MAX];
	struct nkey key;
	if (catalog == NULL || catalog_read(catalog, ZONES_MAX + 1, &list, why) != OK) {
		return false;
	}
	nkey_set(&key, z->name.oct);
	bool is_listed = trie_get(&list.members, &key) != NULL;
	catalog_list_fini(&list);
	return !is_listed;
}

/* It was served, and is so no more. */
static void
check_vanished(struct sim_node *n, unsigned zone)
{
	struct world *w = n->world;
	struct shown *s = &n->shown[zone];
	s->is_served = false;
	if (s->presence == FOLLOW_EXPIRED) {
		if (s->early_ns != NOW_NEVER && w->now_ns + EXPIRE_SLACK_S * SECOND + s->early_ns < s->refreshed_ns + expire_ns(w, zone)) {
			world_break(w, "node %u lets zone %u expire too early", n->number, zone);
		}
	} else if (w->files[zone].was_there && w->files[zone].absent_ns < s->made_ns &&
	           !is_parent_blind(n, w->plan->zones[zone].primary, s->made_ns) && !is_unlisted(n, zone)) {
		world_break(w, "node %u serves zone %u no more, and nobody has removed it", n->number, zone);
	}
}

void
check_served(struct sim_node *n, const uint8_t *apex)
{
	int number = zone_number(n->world, apex);
	struct shown *s = &n->shown[number];
	const struct zone *z = view_zone(node_view(n), apex);
	if (z != NULL) {
		check_version(n, (unsigned)number, z);
	} else if (s->is_served) {
		check_vanished(n, (unsigned)number);
	}
	if ((z != NULL) != (s->presence == FOLLOW_PRESENT)) {
		world_break(n->world, "node %u does not serve what it says of zone %d", n->number, number);
	}
	s->has_seen &= s->presence != FOLLOW_EXPIRED && s->presence != FOLLOW_FORGOTTEN;
}

void
check_refreshed(struct sim_node *n, const uint8_t *apex)
{
	int number = zone_number(n->world, apex);
	if (number < 0) {
		return; /* a catalog */
	}
	struct shown *s = &n->shown[number];
	struct kept *k = &n->kept[number];
	s->refreshed_ns = k->refreshed_ns = n->world->now_ns;
	s->is_refreshed = true;
	s->early_ns = s->late_ns = 0;
	k->off_ns = 0;
	k->may_be_early = false;
}

void
check_forget(struct sim_node *n)
{
	for (unsigned z = 0; z < ZONES_MAX; z++) {
		n->shown[z] = (struct shown){ .presence = FOLLOW_FORGOTTEN };
	}
}

/* ---- after a restart with state ---- */

void
check_expect(struct sim_node *n)
{
	for (unsigned z = 0; z < ZONES_MAX; z++) {
		struct kept *k = &n->kept[z];
		k->may_be_early |= !k->is_there || k->is_behind;
		k->off_ns += (uint64_t)(n->off_max_s - n->off_min_s + 1) * SECOND;
		n->shown[z].has_seen = k->is_there;
		n->shown[z].seen = k->serial;
	}
}

void
check_restored_zone(struct sim_node *n, const uint8_t *apex)
{
	int number = zone_number(n->world, apex);
	if (number < 0) {
		return;
	}
	struct shown *s = &n->shown[number];
	const struct kept *k = &n->kept[number];
	s->refreshed_ns = k->refreshed_ns;
	s->late_ns = k->off_ns;
	s->early_ns = k->may_be_early ? NOW_NEVER : k->off_ns + expire_ns(n->world, (unsigned)number) / ZONE_STORE_NOTE_PART;
}

/* What a catalog lists is known if the catalog is. */
static bool
is_known(const struct sim_node *n, unsigned zone)
{
	unsigned primary = n->world->plan->zones[zone].primary;
	return !n->world->plan->by_catalog[n->number][primary] || n->has_kept_catalog[primary];
}

void
check_restored(struct sim_node *n)
{
	for (unsigned z = 0; z < n->world->plan->zones_n; z++) {
		struct shown *s = &n->shown[z];
		if (n->kept[z].is_there && !n->kept[z].is_withdrawn && n->no_room == 0 && s->presence == FOLLOW_FORGOTTEN && is_known(n, z)) {
			world_break(n->world, "node %u does not have zone %u any more after a start, though its file is whole", n->number, z);
		}
		s->has_seen &= s->presence == FOLLOW_PRESENT || s->presence == FOLLOW_WITHDRAWN;
	}
}

/* ---- now and then ---- */

static void
check_expiry(struct sim_node *n)
{
	struct world *w = n->world;
	if (n->no_room != 0 || w->now_ns < n->room_ns + ROOM_SLACK_S * SECOND) {
		return;
	}
	for (unsigned z = 0; z < w->plan->zones_n; z++) {
		const struct shown *s = &n->shown[z];
		if (s->is_served && w->now_ns > s->refreshed_ns + expire_ns(w, z) + s->late_ns + EXPIRE_SLACK_S * SECOND) {
			world_break(w, "node %u serves zone %u, which must have expired", n->number, z);
		}
	}
}

static void
check_bounds(struct sim_node *n)
{
	if (n->secondary != NULL && secondary_octets(n->secondary) > OCTETS_MAX) {
		world_break(n->world, "node %u takes more than %d octets", n->number, OCTETS_MAX);
	}
	if (notifier_stats(n->notifier)->pending > PENDING_MAX) {
		world_break(n->world, "node %u has more than %d notifications", n->number, PENDING_MAX);
	}
	if (n->subscriptions.n > SUBSCRIPTIONS_LIMIT) {
		world_break(n->world, "node %u has more than %d subscriptions", n->number, SUBSCRIPTIONS_LIMIT);
	}
}

void
check_minute(struct world *w)
{
	for (unsigned i = 0; i < w->plan->nodes_n; i++) {
		if (w->nodes[i].is_up) {
			check_expiry(&w->nodes[i]);
			check_bounds(&w->nodes[i]);
		}
	}
}

/* Questions of an hour.  For each source: the question about its domain, after 1, 2, 4, … up to FOLLOWER_NEW_MAX_S (9 and then 12, or 13
 * with the jitter).  For each zone: as many rounds as the shortest of REFRESH and RETRY allows, or those of a new zone; and one for each
 * NOTIFY.  A round asks each source, and may transfer twice.  As much again for what was asked over connections that broke.
 * A hidden one makes its link again whenever that ends: after 1, 2, 4, 8, 16 s, as long as each lasts less than FOLLOWER_BRIEF_S; and asks
 * about the domain of each source over it. */
static uint64_t
asked_max(const struct sim_node *n)
{
	const struct plan *p = n->world->plan;
	uint64_t rounds = 0, sources = 0;
	for (size_t i = 0; i < p->edges_n; i++) {
		sources += p->edges[i].child == n->number;
	}
	for (unsigned z = 0; z < p->zones_n; z++) {
		const struct plan_zone *at = &p->zones[z];
		rounds += 24 + 4000 / (at->refresh_s < at->retry_s ? at->refresh_s : at->retry_s);
	}
	for (unsigned i = 0; i < p->primaries_n; i++) {
		rounds += p->by_catalog[n->number][i] ? 24 + 4000 / CATALOG_RETRY_S : 0;
	}
	uint64_t again = p->is_hidden[n->number] ? 5 * 3600 / (1 + 2 + 4 + 8 + 16) * sources : 0;
	return 2 * (24 * sources + (rounds + n->hourly.notices) * 3 * 2) + again;
}

/* Each NOTIFY is sent up to 13 times, by two ways each; some of it in the hours after. */
static uint64_t
told_max(const struct sim_node *n)
{
	return 26 * (n->hourly.news + PENDING_MAX / 4);
}

void
check_hour(struct world *w)
{
	for (unsigned i = 0; i < w->plan->nodes_n; i++) {
		struct sim_node *n = &w->nodes[i];
		if (n->hourly.asked > asked_max(n)) {
			world_break(w, "node %u has asked %" PRIu64 " times in an hour, and %" PRIu64 " is the most", i, n->hourly.asked,
			            asked_max(n));
		}
		if (n->hourly.told > told_max(n)) {
			world_break(w, "node %u has sent %" PRIu64 " NOTIFYs in an hour", i, n->hourly.told);
		}
		n->hourly = (struct hourly){ 0 };
	}
}

/* ---- in the end ---- */

static bool
is_same(const struct world *w, const struct sim_node *n, unsigned zone)
{
	const uint8_t *apex = w->plan->zones[zone].name.oct;
	const struct zone *has = view_zone(node_view(n), apex);
	const struct zone *wanted = view_zone(primary_view(w->nodes[w->plan->zones[zone].primary].primary), apex);
	return has == NULL || wanted == NULL ? has == wanted : has->serial == wanted->serial;
}

bool
check_is_settled(const struct world *w)
{
	for (unsigned i = 0; i < w->plan->primaries_n; i++) {
		if (!git_is_current(&w->nodes[i])) {
			return false;
		}
	}
	for (unsigned i = w->plan->primaries_n; i < w->plan->nodes_n; i++) {
		for (unsigned z = 0; z < w->plan->zones_n; z++) {
			if (plan_follows(w->plan, i, w->plan->zones[z].primary) && !is_same(w, &w->nodes[i], z)) {
				return false;
			}
		}
	}
	return true;
}

/* ---- subscriptions ---- */

struct hearer {
	const struct plan *plan;
	unsigned node;
	bool is_told;
};

static void
note_told(void *ctx, const struct notify_news *news, const struct notify_target *to)
{
	struct hearer *h = ctx;
	(void)news;
	for (size_t i = 0; i < h->plan->edges_n; i++) {
		const struct plan_edge *e = &h->plan->edges[i];
		h->is_told |= e->child == h->node && name_is_equal(e->key.tsig.name.oct, to->key->name.oct);
	}
}

/* Would one of its parents tell it if the zone came, over a connection? */
static bool
is_subscribed(const struct world *w, unsigned node, unsigned zone)
{
	const struct notify_news news = { .zone = w->plan->zones[zone].name.oct };
	const struct notify_targets none = { 0 };
	struct hearer h = { .plan = w->plan, .node = node };
	for (unsigned i = 0; i < w->plan->nodes_n && !h.is_told; i++) {
		const struct sim_node *parent = &w->nodes[i];
		if (i != node) {
			subscriptions_tell(&parent->subscriptions, parent->told, &news, &none, note_told, &h);
		}
	}
	return h.is_told;
}

/* A subscription ends with its key, of which the secondary hears nothing, and begins again with its next question.  Whoever has a version
 * that was pushed since the last fault has asked; of a zone that is not there, nothing shows it. */
static bool
is_deaf_to(const struct world *w, unsigned node, unsigned zone)
{
	const struct plan *p = w->plan;
	const struct plan_zone *z = &p->zones[zone];
	bool may_come = plan_follows(p, node, z->primary) && view_zone(primary_view(w->nodes[z->primary].primary), z->name.oct) == NULL;
	return p->is_hidden[node] && may_come && !is_subscribed(w, node, zone);
}

bool
check_is_subscribed(const struct world *w)
{
	for (unsigned i = w->plan->primaries_n; i < w->plan->nodes_n; i++) {
		for (unsigned z = 0; z < w->plan->zones_n; z++) {
			if (is_deaf_to(w, i, z)) {
				return false;
			}
		}
	}
	return true;
}

static void
check_unsubscribed(struct world *w, uint64_t for_ns)
{
	for (unsigned i = w->plan->primaries_n; i < w->plan->nodes_n; i++) {
		for (unsigned z = 0; z < w->plan->zones_n; z++) {
			if (is_deaf_to(w, i, z)) {
				world_break(w, "node %u would still not be told if zone %u came, after %" PRIu64 " s without a fault", i, z,
				            for_ns / SECOND);
			}
		}
	}
}

/* ---- too late ---- */

void
check_unsettled(struct world *w, uint64_t for_ns)
{
	for (unsigned i = 0; i < w->plan->primaries_n; i++) {
		if (!git_is_current(&w->nodes[i])) {
			world_break(w, "primary %u still does not serve what is in its repository, after %" PRIu64 " s without a fault", i,
			            for_ns / SECOND);
		}
	}
	for (unsigned i = w->plan->primaries_n; i < w->plan->nodes_n; i++) {
		for (unsigned z = 0; z < w->plan->zones_n; z++) {
			if (plan_follows(w->plan, i, w->plan->zones[z].primary) && !is_same(w, &w->nodes[i], z)) {
				world_break(w, "node %u still does not serve zone %u as its primary does, after %" PRIu64 " s without a fault", i, z,
				            for_ns / SECOND);
			}
		}
	}
	check_unsubscribed(w, for_ns);
}

bool
check_refreshes(struct world *w, uint64_t since_ns)
{
	bool is_over = true;
	for (unsigned i = w->plan->primaries_n; i < w->plan->nodes_n; i++) {
		for (unsigned z = 0; z < w->plan->zones_n; z++) {
			bool follows = plan_follows(w->plan, i, w->plan->zones[z].primary);
			bool is_due = follows && w->now_ns >= since_ns + plan_refresh_ns(w->plan, i, z);
			is_over &= is_due || !follows;
			if (is_due && !is_same(w, &w->nodes[i], z)) {
				world_break(w, "node %u does not serve zone %u as its primary does, though one of its parents must have it", i, z);
			}
		}
	}
	return is_over;
}
