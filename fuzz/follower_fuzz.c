/* Following primaries under anything that can happen: the input is a program of NOTIFYs, answers (right, spoilt, invented, in parts), ends
 * of links, links that cannot be made, memory that is short, and time.
 *
 * What must hold: what is shown follows the diagram in auth/follower.h; nothing that is asked, or waits, is forgotten; limits are kept; a
 * deadline that has passed is not left behind; and once all primaries are well, every zone that is known is served as they have it.
 *
 * An input that begins with BEGINS_WITH_CATALOGS has two catalogs, and each zone is whose the model in follower_catalogs.h says. */
#include "follower_world.h"

enum {
	BEGINS_WITH_CATALOGS = 'c',
	STEPS_MAX = 300, TRANSFERS_MAX = 3, LINK_TRANSFERS_MAX = 2, ENDINGS_MAX = 20000, WELL_S = 2000,
	STEP_KINDS = 12, CATALOG_STEP = STEP_KINDS, ALL_BUT_ONE_STEP, CATALOG_STEP_KINDS,
};

/* Newer than any that the input can name: one lists "y", which may move; the other one "y", "a.z" and "m.o". */
static const uint32_t good_catalogs[CATALOGS] = { 0x400 * CATALOG_ORDER + 0x00A, 0x400 * CATALOG_ORDER + 0x132 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- what must hold ---- */

static unsigned
length_of(const struct list_link *list)
{
	unsigned n = 0;
	for (const struct list_link *i = list->next; i != list; i = i->next) {
		n++;
	}
	return n;
}

struct sums {
	unsigned waiting, asking, transferring, busy_zones;
};

static void
add_wants(const struct list_link *list, struct sums *sums)
{
	for (struct list_link *i = list->next; i != list; i = i->next) {
		sums->waiting++;
		sums->busy_zones += !LIST_ENTRY(i, struct want, link)->is_domain;
	}
}

static void
check_link(const struct follow_link *l, struct sums *sums)
{
	unsigned transfers = 0;
	add_wants(&l->questions, sums);
	add_wants(&l->transfers, sums);
	add_wants(&l->alone, sums);
	add_wants(&l->datagrams, sums);
	for (struct list_link *i = l->asks.next; i != &l->asks; i = i->next) {
		const struct ask *a = LIST_ENTRY(i, struct ask, link);
		transfers += a->query != QUERY_SERIAL;
		sums->busy_zones += a->zone != NULL;
	}
	ASSERT(l->asks_n == length_of(&l->asks) && l->transfers_n == transfers);
	ASSERT(transfers <= LINK_TRANSFERS_MAX && l->asks_n <= FOLLOWER_WINDOW_MAX);
	ASSERT(l->is_open == w.is_open[l->number] && (l->is_open || l->asks_n == 0));
	ASSERT(l->asks_n == 0 || l->timer.place != 0);
	ASSERT(l->is_open || list_is_empty(&l->questions) || l->timer.place != 0);
	sums->asking += l->asks_n - transfers;
	sums->transferring += transfers;
}

static unsigned
slots_in_use(void)
{
	unsigned n = 0;
	for (size_t i = 0; i < FOLLOWER_UDP_MAX; i++) {
		ASSERT(w.is_asked[i] == (w.f->datagrams[i] != NULL));
		n += w.is_asked[i];
	}
	return n;
}

static void
check_zone(void *ctx, const struct follow_state *s)
{
	unsigned *busy = ctx;
	const struct held *h = held_of(s->zone);
	bool is_not_shown = h->presence == NOWHERE || h->presence == FOLLOW_UNKNOWN; /* there was no room for that */
	ASSERT(s->presence == (is_not_shown ? FOLLOW_NEW : (enum follow_presence)h->presence));
	ASSERT(s->has_serial == (h->version != NULL) && (h->version == NULL || s->serial == h->version->serial));
	*busy += followed_get(w.f, s->zone)->phase != ZONE_RESTING;
}

static void
check(void)
{
	const struct follower_stats *s = follower_stats(w.f);
	struct sums sums = { 0 };
	unsigned busy = 0;
	for (size_t i = 0; i < w.f->links_n; i++) {
		check_link(w.f->links[i], &sums);
	}
	unsigned datagrams = length_of(&w.f->datagram_asks);
	sums.asking += datagrams;
	sums.busy_zones += datagrams;
	ASSERT(datagrams == slots_in_use());
	follower_each(w.f, &w.now, check_zone, &busy);
	ASSERT(busy == sums.busy_zones);
	ASSERT(s->waiting == sums.waiting && s->asking == sums.asking && s->transferring == sums.transferring);
	ASSERT(s->transferring <= TRANSFERS_MAX && s->links == w.open_n && w.f->links_n == LINKS && s->zones <= ZONES);
	catalogs_check(&w.catalogs, w.f, w.no_room_ns == 0);
	for (size_t i = 0; i < w.f->sources_n; i++) {
		const struct source *source = w.f->sources[i];
		ASSERT((source->timer.place != 0) + list_is_linked(&source->want.link) + source->is_asked == 1);
	}
}

/* Nothing waits for an answer without end, whatever else the link brings. */
static void
check_ages(void)
{
	for (size_t i = 0; i < w.f->links_n; i++) {
		const struct follow_link *l = w.f->links[i];
		uint64_t most_s = l->transfers_n != 0 ? FOLLOWER_TRANSFER_MAX_S : FOLLOWER_ANSWER_MAX_S;
		for (struct list_link *k = l->asks.next; k != &l->asks; k = k->next) {
			ASSERT(w.now.mono_ns - LIST_ENTRY(k, struct ask, link)->begun_ns < seconds_ns(most_s));
		}
	}
}

/* ---- steps ---- */

static void
advance(uint64_t ns)
{
	w.now.mono_ns += ns;
	w.now.wall_s = 1700000000 + w.now.mono_ns / NOW_SECOND_NS;
	follower_timer(w.f, &w.now);
	ASSERT(follower_deadline(w.f) > w.now.mono_ns);
	check_ages();
	for (size_t i = 0; i < ZONES; i++) {
		ASSERT(w.held[i].presence != FOLLOW_PRESENT || !is_over(&w.held[i]) || w.now.mono_ns - w.no_room_ns < NOW_SECOND_NS);
	}
}

static void
advance_to_deadline(void)
{
	uint64_t at = follower_deadline(w.f);
	if (at != NOW_NEVER) {
		advance(at > w.now.mono_ns ? at - w.now.mono_ns : 0);
	}
}

static unsigned
zones_n(void)
{
	return w.has_catalogs ? ZONES : PLAIN_ZONES;
}

static unsigned
sources_n(void)
{
	return w.has_catalogs ? SOURCES : PLAIN_SOURCES;
}

/* A catalog's says what it lists. */
static uint32_t
read_serial(struct cur *c, unsigned zone)
{
	uint8_t n = cur_u8(c);
	return is_catalog((int)zone) ? n * CATALOG_ORDER + cur_u16(c) : n % 8;
}

static void
notify(struct cur *c)
{
	uint8_t what = cur_u8(c), from = cur_u8(c);
	struct follow_notice n = { .address = { 4, { 10, 0, 0, 1 + from % 4 } }, .has_serial = (from & 0x40) != 0 };
	n.serial = read_serial(c, what % zones_n());
	name_set(&n.zone, (const uint8_t *)zone_names[what % zones_n()]);
	if ((from & 0x80) != 0) {
		name_set(&n.key, keys[what / zones_n() % sources_n()].tsig.name.oct);
		w.noticed = n.zone.oct;
	}
	follower_notice(w.f, &w.now, &n);
	w.noticed = NULL;
}

static void
end_link(unsigned link)
{
	if (w.is_open[link]) {
		close_link(NULL, link);
		follower_closed(w.f, &w.now, link, "the primary has closed it");
	}
}

static void
nobody_is_there(unsigned slot)
{
	if (w.is_asked[slot]) {
		follower_unreachable(w.f, &w.now, slot);
	}
}

/* Counted from the last one. */
static struct sent *
sent_at(uint8_t back)
{
	struct sent *s = &w.sent[(w.sent_n - 1 - back % KEPT) % KEPT];
	return s->len != 0 ? s : NULL;
}

static void
reply(struct cur *c)
{
	struct sent *s = sent_at(cur_u8(c));
	uint8_t how = cur_u8(c), what = cur_u8(c);
	struct reply r = {
		.rcode = what >> 4 & 15, .serial = what % 8, .is_aa = (how & 1) == 0, .has_question = (how & 2) == 0,
		.has_soa = (how & 4) == 0, .is_signed = (how & 24) != 8, .is_spoilt = (how & 224) == 32,
	};
	if (s != NULL) {
		r.serial = is_catalog(zone_number(s->zone.oct)) ? read_serial(c, CATALOG) : r.serial;
		answer_once(s, &r);
	}
}

static void
transfer(struct cur *c, bool is_new)
{
	struct sent *s = sent_at(cur_u8(c));
	uint8_t n = cur_u8(c);
	unsigned zone = s != NULL ? (unsigned)zone_number(s->zone.oct) : 0;
	struct plan plan = { .form = is_new ? n >> 4 : 0, .serial = is_new ? read_serial(c, zone) : 0 };
	plan.cut = is_new ? cur_u8(c) : 0;
	plan.is_bare = is_new ? cur_u8(c) : 0;
	plan.spoilt = is_new ? cur_u8(c) : 0;
	if (s == NULL) {
		return;
	}
	if (is_new) {
		s->plan = plan;
		s->messages = 0;
	}
	for (unsigned i = 0; i < 1 + n % 16u && answer_transfer(s); i++) {
	}
}

static void
invented(struct cur *c)
{
	unsigned link = cur_u8(c) % (LINKS + 2);
	size_t len = cur_u8(c);
	len = len < cur_left(c) ? len : cur_left(c);
	deliver(link, cur_take(c, len), len);
}

/* Answers all that was asked, and what is asked because of that; but not about that zone. */
static void
all_well_but(int zone)
{
	unsigned i = 0;
	while (i < KEPT) {
		struct sent *s = sent_at((uint8_t)i++);
		if (s != NULL && !s->is_done && zone_number(s->zone.oct) != zone) {
			answer_well(s);
			i = 0;
		}
	}
}

/* Primaries that are well have another version of a catalog from now on; mostly the slots change one by one. */
static void
change_catalog(struct cur *c)
{
	uint8_t what = cur_u8(c), to = cur_u8(c);
	uint32_t *listed = &w.listed[what % CATALOGS], at = what / 2 % 4 * 4;
	*listed = ((*listed & ~(UINT32_C(15) << at)) | (to & 15u) << at) + CATALOG_ORDER;
}

static void
step(struct cur *c)
{
	uint8_t what = cur_u8(c);
	switch (what % (w.has_catalogs ? CATALOG_STEP_KINDS : STEP_KINDS)) {
	case 0:
		notify(c);
		break;
	case 1:
	case 2:
		reply(c);
		break;
	case 3:
	case 4:
		transfer(c, true);
		break;
	case 5:
		transfer(c, false);
		break;
	case 6:
		invented(c);
		break;
	case 7:
		what / 12u % 5 < LINKS ? end_link(what / 12u % 5) : nobody_is_there(what / 12u % 5 - LINKS);
		break;
	case 8:
		advance_to_deadline();
		break;
	case 9:
		advance((uint64_t)cur_u16(c) * cur_u16(c) * MS);
		break;
	case 10:
		all_well_but(NOBODY);
		break;
	case CATALOG_STEP:
		change_catalog(c);
		break;
	case ALL_BUT_ONE_STEP:
		all_well_but(cur_u8(c) % ZONES);
		break;
	default:
		w.failing = cur_u8(c) & cur_u8(c);
		w.room = what >= 128 ? 1 << 20 : (size_t)(what / 12u) << 8;
		w.skew_s = w.failing >= 128 ? 1000 : 0;
	}
}

/* ---- the end ---- */

static bool
is_all_served(void)
{
	bool is_all = follower_stats(w.f)->zones != 0;
	for (size_t i = 0; i < ZONES; i++) {
		const struct held *h = &w.held[i];
		bool is_served = h->presence == FOLLOW_PRESENT && h->version->serial == good_serial_of((int)i);
		is_all &= h->presence == NOWHERE || w.catalogs.of[i].is_leaving || is_served;
	}
	return is_all;
}

static void
end_well(void)
{
	uint64_t until = w.now.mono_ns + seconds_ns(WELL_S);
	w.failing = 0;
	w.room = 1 << 20;
	w.skew_s = 0;
	memcpy(w.listed, good_catalogs, sizeof w.listed);
	for (unsigned i = 0; !is_all_served(); i++) {
		ASSERT(i < ENDINGS_MAX && w.now.mono_ns < until);
		all_well_but(NOBODY);
		check();
		advance_to_deadline();
		check();
	}
}

static void
begin(bool has_catalogs)
{
	const struct follower_conf conf = {
		.bounds = { 1, 3600, 1, 3600, 1, 3600 }, .transfers_max = TRANSFERS_MAX, .link_transfers_max = LINK_TRANSFERS_MAX,
		.records_max = 100, .octets_max = octets_max,
		.io = { .open = open_link, .send = send_over, .close = close_link, .udp_send = send_udp, .udp_end = end_udp,
		        .take = take, .show = show, .report = on_report, .random_u32 = next_random, .belongs = belongs },
	};
	memset(&w, 0, sizeof w);
	w.now = (struct now){ .mono_ns = NOW_SECOND_NS, .wall_s = 1700000001 };
	w.room = 1 << 20;
	w.has_catalogs = has_catalogs;
	catalogs_begin(&w.catalogs);
	for (size_t i = 0; i < ZONES; i++) {
		w.held[i].presence = NOWHERE;
	}
	w.f = follower_new(&conf);
	for (size_t i = 0; i < sources_n(); i++) {
		ASSERT(follower_add(w.f, &w.now, &sources[i]) == OK);
	}
	for (int i = 0; has_catalogs && i < CATALOGS; i++) {
		ASSERT(follower_add_catalog(w.f, &w.now, catalog_name(i)) == OK);
	}
	advance(0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur c = cur_over(data, size);
	bool has_catalogs = size != 0 && data[0] == BEGINS_WITH_CATALOGS;
	begin(has_catalogs);
	if (has_catalogs) {
		(void)cur_u8(&c);
	}
	for (unsigned i = 0; i < STEPS_MAX && cur_left(&c) != 0; i++) {
		step(&c);
		check();
	}
	if (size % 2 == 0) { /* else it ends as it is */
		end_well();
	}
	follower_free(&w.f);
	for (size_t i = 0; i < ZONES; i++) {
		zone_free(&w.held[i].version);
	}
	return 0;
}
