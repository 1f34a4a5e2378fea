#include "plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "dice.h"
#include "auth/follower.h"

enum { ROOM_OF_ONE = 116 * 1024 }; /* a zone with ballast fits, two at a time do not */

static const char *const kind_names[PLAN_KINDS] = {
	[PLAN_CHANGE] = "change", [PLAN_COME] = "come", [PLAN_GO] = "go", [PLAN_REWIND] = "rewind", [PLAN_SPLIT] = "split",
	[PLAN_CRASH] = "crash", [PLAN_CLOCK] = "clock", [PLAN_SILENT] = "silent", [PLAN_CUTS] = "cuts", [PLAN_REFUSALS] = "refusals",
	[PLAN_CURT] = "curt", [PLAN_NO_ROOM] = "no-room", [PLAN_NO_KEYS] = "no-keys",
	[PLAN_GARBLE] = "garble", [PLAN_LOSS] = "loss", [PLAN_REPEATS] = "repeats", [PLAN_SLOW] = "slow",
	[PLAN_UPDATE] = "update", [PLAN_NO_REMOTE] = "no-remote", [PLAN_GIT_DOWN] = "git-down", [PLAN_UNCLEAR] = "unclear",
	[PLAN_HOOKS] = "hooks", [PLAN_FULL] = "full", [PLAN_SPOIL] = "spoil",
};

const char *
plan_kind_name(enum plan_kind kind)
{
	return kind_names[kind];
}

bool
plan_kind_is_fault(enum plan_kind kind)
{
	return kind >= PLAN_SPLIT;
}

static void
set_name(struct name *out, const char *text)
{
	err_t err = name_parse(text, strlen(text), NULL, out);
	ASSERT(err == OK);
}

/* ---- the fleet ---- */

static void
make_zone(struct plan *p, struct dice *d, unsigned i)
{
	static const uint32_t refresh[] = { 300, 900, 3600, 7200 }, retry[] = { 60, 300, 900 }, expire[] = { 7200, 36000, 86400, 604800 };
	char text[64];
	struct plan_zone *z = &p->zones[i];
	*z = (struct plan_zone){ .primary = i % p->primaries_n, .refresh_s = refresh[dice_below(d, ARRAY_LEN(refresh))],
		                 .retry_s = retry[dice_below(d, ARRAY_LEN(retry))], .expire_s = expire[dice_below(d, ARRAY_LEN(expire))],
		                 .ballast = dice_hits(d, 80) ? 800 : 0, .is_first = !dice_hits(d, 200) };
	(void)snprintf(text, sizeof text, "z%u.p%u.example", i, z->primary);
	set_name(&z->name, text);
}

static void
add_edge(struct plan *p, struct plan_edge e)
{
	static const char secret[] = "SHA256:kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=";
	char who[64], zone[16] = "", text[300], why[128];
	if (e.is_kept) {
		(void)snprintf(who, sizeof who, "from%uto%u", e.parent, e.child);
	} else {
		(void)snprintf(who, sizeof who, "10.0.0.%u.10.0.0.%u", e.parent + 1, e.child + 1);
	}
	if (e.zone >= 0) {
		(void)snprintf(zone, sizeof zone, "z%d.", e.zone);
	}
	(void)snprintf(text, sizeof text, "%s._transfer.%sp%u.example:%s", who, zone, e.primary, secret);
	err_t err = tsig_key_parse(text, &e.key.tsig, why);
	ASSERT(err == OK);
	err = key_name_read(e.key.tsig.name.oct, &e.key);
	ASSERT(err == OK && p->edges_n < EDGES_MAX);
	p->edges[p->edges_n++] = e;
}

/* With one key for the domain, or one for each zone. */
static void
follow(struct plan *p, struct dice *d, struct plan_edge e)
{
	e.is_kept = p->is_hidden[e.child];
	e.zone = -1;
	if (dice_hits(d, 600)) {
		add_edge(p, e);
		return;
	}
	for (unsigned z = 0; z < p->zones_n; z++) {
		if (p->zones[z].primary == e.primary) {
			e.zone = (int)z;
			add_edge(p, e);
		}
	}
}

bool
plan_follows(const struct plan *p, unsigned node, unsigned primary)
{
	bool does = node == primary;
	for (size_t i = 0; i < p->edges_n; i++) {
		does |= p->edges[i].child == node && p->edges[i].primary == primary;
	}
	return does;
}

static bool
may_be_parent(const struct plan *p, unsigned node, unsigned primary)
{
	return !p->is_hidden[node] && plan_follows(p, node, primary);
}

static void
add_parents(struct plan *p, struct dice *d, unsigned child, unsigned primary)
{
	unsigned wanted = dice_hits(d, 700) ? 2 : 1;
	for (unsigned i = 0, at = dice_unsigned(d, child); i < child && wanted != 0; i++, at = (at + 1) % child) {
		if (may_be_parent(p, at, primary)) {
			follow(p, d, (struct plan_edge){ .parent = at, .child = child, .primary = primary });
			wanted--;
		}
	}
}

static void
make_fleet(struct plan *p, struct dice *d)
{
	p->primaries_n = dice_hits(d, 250) ? 2 : 1;
	p->nodes_n = p->primaries_n + (unsigned)dice_between(d, 1, NODES_MAX - PRIMARIES_MAX);
	p->zones_n = (unsigned)dice_between(d, p->primaries_n, ZONES_MAX);
	for (unsigned i = 0; i < p->zones_n; i++) {
		make_zone(p, d, i);
	}
	for (unsigned c = p->primaries_n; c < p->nodes_n; c++) {
		p->is_hidden[c] = dice_hits(d, 150);
		p->transfers_max[c] = dice_hits(d, 300) ? 1 : 0;
		p->room[c] = dice_hits(d, 300) ? ROOM_OF_ONE : SIZE_MAX;
		for (unsigned i = 0, first = dice_unsigned(d, p->primaries_n); i < p->primaries_n; i++) {
			if (i == 0 || dice_hits(d, 500)) {
				add_parents(p, d, c, (first + i) % p->primaries_n);
			}
		}
	}
}

/* Each parent has the catalog, too, and with the key for the domain may give it. */
static bool
may_have_catalog(const struct plan *p, unsigned child, unsigned primary)
{
	bool may = p->has_catalog[primary] && plan_follows(p, child, primary);
	for (size_t i = 0; i < p->edges_n; i++) {
		const struct plan_edge *e = &p->edges[i];
		bool is_good = e->zone < 0 && (e->parent == primary || p->by_catalog[e->parent][primary]);
		may &= is_good || e->child != child || e->primary != primary;
	}
	return may;
}

static void
make_catalogs(struct plan *p, struct dice *d)
{
	char text[64];
	for (unsigned i = 0; i < p->primaries_n; i++) {
		p->has_catalog[i] = dice_hits(d, 400);
		(void)snprintf(text, sizeof text, "catalog.p%u.example", i);
		set_name(&p->catalogs[i], text);
		for (unsigned c = p->primaries_n; c < p->nodes_n; c++) {
			p->by_catalog[c][i] = may_have_catalog(p, c, i) && dice_hits(d, 700);
		}
	}
}

/* The serial of a catalog is the time.  After a start with a clock that is behind the one before, secondaries take no version of it until the
 * time has caught up; so the clocks of such primaries do not jump. */
static void
leave_clocks_alone(struct plan *p)
{
	size_t kept = 0;
	for (size_t i = 0; i < p->events_n; i++) {
		const struct plan_event *e = &p->events[i];
		bool is_left_out = e->kind == PLAN_CLOCK && e->node < p->primaries_n && p->has_catalog[e->node];
		p->events[kept] = *e;
		kept += !is_left_out;
	}
	p->events_n = kept;
}

unsigned
plan_depth(const struct plan *p, unsigned node)
{
	unsigned depth = 0;
	for (size_t i = 0; i < p->edges_n; i++) {
		if (p->edges[i].child == node) {
			unsigned through = plan_depth(p, p->edges[i].parent) + 1;
			depth = through > depth ? through : depth;
		}
	}
	return depth;
}

unsigned
plan_nearness(const struct plan *p, unsigned node, unsigned primary)
{
	unsigned nearest = NODES_MAX;
	if (node == primary) {
		return 0;
	}
	for (size_t i = 0; i < p->edges_n; i++) {
		const struct plan_edge *e = &p->edges[i];
		if (e->child == node && e->primary == primary) {
			unsigned through = plan_nearness(p, e->parent, primary) + 1;
			nearest = through < nearest ? through : nearest;
		}
	}
	return nearest;
}

/* ---- what happens ---- */

static void
add_event(struct plan *p, struct plan_event e)
{
	if (p->events_n < EVENTS_MAX) {
		p->events[p->events_n++] = e;
	}
}

static enum plan_kind
push_kind(struct dice *d)
{
	unsigned n = dice_unsigned(d, 100);
	return n < 80 ? PLAN_CHANGE : n < 89 ? PLAN_GO : n < 98 ? PLAN_COME : PLAN_REWIND;
}

/* Some pushes follow each other at once. */
static void
add_pushes(struct plan *p, struct dice *d)
{
	unsigned n = (unsigned)dice_between(d, 3, 40);
	uint64_t at = 0;
	for (unsigned i = 0; i < n; i++) {
		at = i != 0 && dice_hits(d, 400) ? at + dice_between(d, MS, 10 * SECOND) : dice_below(d, p->calm_ns);
		if (at < p->calm_ns) {
			add_event(p, (struct plan_event){ .kind = push_kind(d), .at_ns = at, .zone = dice_unsigned(d, p->zones_n),
			                                  .node = dice_unsigned(d, p->primaries_n) });
		}
	}
}

static int64_t
fault_amount(struct dice *d, enum plan_kind kind)
{
	if (kind == PLAN_CLOCK) {
		int64_t by = (int64_t)dice_between(d, 30, 7200);
		return dice_hits(d, 500) ? by : -by;
	}
	if (kind == PLAN_CURT) {
		return (int64_t)dice_between(d, 1, 4);
	}
	return kind == PLAN_SLOW ? (int64_t)dice_between(d, 10, 12000) : (int64_t)dice_between(d, 10, 900);
}

/* Most faults are short, some are long enough that zones expire. */
static uint64_t
fault_length(const struct plan *p, struct dice *d)
{
	uint64_t most = dice_hits(d, 300) ? p->calm_ns : dice_hits(d, 500) ? HOUR : 3 * MINUTE;
	return dice_between(d, SECOND, most);
}

static void
add_faults(struct plan *p, struct dice *d)
{
	unsigned n = dice_unsigned(d, 16);
	for (unsigned i = 0; i < n; i++) {
		struct plan_event e = { .at_ns = dice_below(d, p->calm_ns) };
		e.kind = (enum plan_kind)(PLAN_SPLIT + dice_unsigned(d, PLAN_SLOW + 1 - PLAN_SPLIT));
		e.until_ns = e.at_ns + fault_length(p, d);
		e.until_ns = e.until_ns < p->calm_ns ? e.until_ns : p->calm_ns;
		e.node = dice_unsigned(d, p->nodes_n);
		e.other = (e.node + 1 + dice_unsigned(d, p->nodes_n - 1)) % p->nodes_n;
		e.amount = fault_amount(d, e.kind);
		add_event(p, e);
	}
}

/* Half of the secondaries have a state directory, and restart more often. */
static void
add_states(struct plan *p, struct dice *d)
{
	static const enum plan_kind kinds[] = { PLAN_CRASH, PLAN_CRASH, PLAN_CRASH, PLAN_FULL, PLAN_SPOIL, PLAN_SPOIL };
	for (unsigned n = p->primaries_n; n < p->nodes_n; n++) {
		p->has_state[n] = dice_hits(d, 500);
		for (unsigned i = dice_unsigned(d, 10); p->has_state[n] && i != 0; i--) {
			struct plan_event e = { .kind = kinds[dice_below(d, ARRAY_LEN(kinds))], .at_ns = dice_below(d, p->calm_ns), .node = n };
			e.until_ns = e.at_ns + dice_between(d, MS, dice_hits(d, 700) ? 2 * SECOND : 10 * MINUTE);
			e.until_ns = e.until_ns < p->calm_ns ? e.until_ns : p->calm_ns;
			add_event(p, e);
		}
	}
}

/* Soon after another update, or just before something else happens; or at any time.  (What would be before the beginning does not happen.) */
static uint64_t
update_time(const struct plan *p, struct dice *d, uint64_t last_ns)
{
	unsigned n = dice_unsigned(d, 100);
	const struct plan_event *e = &p->events[dice_below(d, p->events_n)];
	return n < 40 ? last_ns + dice_between(d, MS, SECOND) : n < 70 ? e->at_ns - dice_below(d, 100 * MS) : dice_below(d, p->calm_ns);
}

static void
add_updates(struct plan *p, struct dice *d)
{
	uint64_t at = 0;
	for (unsigned i = dice_unsigned(d, 40); i != 0; i--) {
		at = update_time(p, d, at);
		if (at < p->calm_ns) {
			add_event(p, (struct plan_event){ .kind = PLAN_UPDATE, .at_ns = at, .zone = dice_unsigned(d, p->zones_n) });
		}
	}
	for (unsigned i = dice_unsigned(d, 8); i != 0; i--) {
		struct plan_event e = { .at_ns = dice_below(d, p->calm_ns), .node = dice_unsigned(d, p->primaries_n) };
		e.kind = (enum plan_kind)(PLAN_NO_REMOTE + dice_unsigned(d, PLAN_KINDS - PLAN_NO_REMOTE));
		e.until_ns = e.at_ns + fault_length(p, d);
		e.until_ns = e.until_ns < p->calm_ns ? e.until_ns : p->calm_ns;
		e.amount = (int64_t)dice_between(d, 10, 900);
		add_event(p, e);
	}
}

/* Long runs are rare, since they take long. */
static uint64_t
length(struct dice *d)
{
	static const uint64_t most[] = { 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY, 7 * DAY };
	unsigned n = dice_unsigned(d, 200);
	unsigned which = n < 60 ? 0 : n < 120 ? 1 : n < 170 ? 2 : n < 192 ? 3 : n < 199 ? 4 : 5;
	return dice_between(d, 5 * MINUTE, most[which]);
}

void
plan_make(struct plan *p, uint64_t seed)
{
	struct dice d = { seed * 2 }, of_states = { ~seed }, of_updates = { ~seed << 20 }, of_catalogs = { ~(seed << 40) };
	*p = (struct plan){ .seed = seed };
	make_fleet(p, &d);
	make_catalogs(p, &of_catalogs);
	p->calm_ns = length(&d);
	add_pushes(p, &d);
	add_faults(p, &d);
	add_states(p, &of_states);
	add_updates(p, &of_updates);
	leave_clocks_alone(p);
}

/* ---- the bound ---- */

static unsigned
depth_of_all(const struct plan *p)
{
	unsigned depth = 0;
	for (unsigned n = 0; n < p->nodes_n; n++) {
		depth = plan_depth(p, n) > depth ? plan_depth(p, n) : depth;
	}
	return depth;
}

/* For one step of the way:
 *   a dead connection is found out                    FOLLOWER_SILENCE_S
 *   it is not tried again before                      FOLLOWER_DOWN_MAX_S
 *   a zone that is known is asked about               REFRESH, or RETRY if that is more
 *   one that is not (the domain, over a connection)   FOLLOWER_NEW_MAX_S, or FOLLOWER_DOMAIN_S when it was a zone
 *   a connection that nobody has closed ends          CONN_LOST_MAX_S
 * After this, a NOTIFY that was lost matters no more. */
uint64_t
plan_settle_ns(const struct plan *p)
{
	enum { CONN_LOST_MAX_S = 180, SLACK_S = 120 };
	uint64_t rest = FOLLOWER_DOMAIN_S;
	for (unsigned z = 0; z < p->zones_n; z++) {
		rest = p->zones[z].refresh_s > rest ? p->zones[z].refresh_s : rest;
		rest = p->zones[z].retry_s > rest ? p->zones[z].retry_s : rest;
	}
	rest += FOLLOWER_SILENCE_S + FOLLOWER_DOWN_MAX_S + FOLLOWER_NEW_MAX_S + CONN_LOST_MAX_S + SLACK_S;
	return depth_of_all(p) * rest * SECOND;
}

/* For one step: a NOTIFY, a question, a transfer, over connections one of which may prove dead. */
uint64_t
plan_prompt_ns(const struct plan *p)
{
	return depth_of_all(p) * (FOLLOWER_SILENCE_S + 5) * SECOND;
}

/* For one step: the zone is asked about at all parents within REFRESH, over connections one of which may prove dead. */
uint64_t
plan_refresh_ns(const struct plan *p, unsigned node, unsigned zone)
{
	const struct plan_zone *z = &p->zones[zone];
	return plan_nearness(p, node, z->primary) * (z->refresh_s + FOLLOWER_SILENCE_S + 5) * SECOND;
}

/* ---- for people ---- */

static void
print_time(uint64_t ns)
{
	printf("%6" PRIu64 ".%03" PRIu64, ns / SECOND, ns % SECOND / MS);
}

void
plan_print_event(const struct plan *p, const struct plan_event *e)
{
	char zone[NAME_TEXT_MAX];
	print_time(e->at_ns);
	printf(" %-8s", kind_names[e->kind]);
	if (e->kind <= PLAN_UPDATE) {
		name_print(p->zones[e->zone].name.oct, zone);
		printf(" %s", zone);
	} else if (e->kind <= PLAN_NO_KEYS || (e->kind >= PLAN_FULL && e->kind <= PLAN_GIT_DOWN)) {
		printf(" node %u", e->node);
	}
	if (e->kind == PLAN_SPLIT || e->kind == PLAN_NO_KEYS) {
		printf(" and %u", e->other);
	} else if (e->kind == PLAN_CLOCK || e->kind == PLAN_CURT || (e->kind >= PLAN_CUTS && e->kind <= PLAN_SLOW) || e->kind >= PLAN_UNCLEAR) {
		printf(" %" PRId64, e->amount);
	}
	if (plan_kind_is_fault(e->kind)) {
		printf(" until");
		print_time(e->until_ns);
	}
	printf("\n");
}
