/* Memory for transfers that are under way.
 *
 * What is left of all memory is shared, and all of them together never take more.  Each one of a whole zone reserves an equal share, or as
 * much as the version takes that is there, and begins when that is to be had.  It may take more as long as nobody else has reserved it.  A
 * zone for which this is not enough begins anew when it can have all.  Changes reserve nothing: they are mostly small.
 *
 * One that waits would do so for ever if small zones of other primaries kept coming.  So the one that has waited first has a claim: when
 * ROOM_PASSED_MAX others have gone before it, no further whole zone begins until it has begun.  There is one claim at a time, and none
 * while the primary cannot be reached. */
#include "auth/follower_p.h"
#include "zone/zone.h"

enum { ROOM_PASSED_MAX = 16 };

static size_t
all_room(const struct follower *f)
{
	return f->conf.octets_max != NULL ? f->conf.octets_max(f->conf.io.ctx) : SIZE_MAX;
}

static size_t
zone_max(const struct follower *f)
{
	return f->conf.zone_octets_max != 0 ? f->conf.zone_octets_max : SIZE_MAX;
}

static size_t
less(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

static size_t
wanted_of(const struct follower *f, const struct follow_zone *z)
{
	size_t all = all_room(f), share = all / f->conf.transfers_max, known = zone_octets(z->version);
	if (z->query == QUERY_CHANGES) {
		return 0;
	}
	size_t wanted = z->needs_all_room ? all : known > share ? known : share;
	return wanted < all ? wanted : all;
}

static bool
is_enough(const struct follower *f, const struct follow_zone *z)
{
	return f->wholes_n == 0 || wanted_of(f, z) <= less(all_room(f), f->reserved);
}

static bool
has_claim(const struct follower *f)
{
	const struct follow_link *l = f->claim.on;
	return l != NULL && (l->is_open || l->failures == 0);
}

void
room_claim(struct follower *f, struct follow_link *l, const struct follow_zone *z)
{
	if (!has_claim(f) && !is_enough(f, z)) {
		f->claim.on = l;
		f->claim.want = &z->want;
		f->claim.passed = 0;
	}
}

void
room_claim_no_more(struct follower *f, const struct want *w)
{
	if (f->claim.want == w) {
		f->claim.on = NULL;
		f->claim.want = NULL;
	}
}

static bool
is_held(const struct follower *f)
{
	return has_claim(f) && f->claim.passed >= ROOM_PASSED_MAX;
}

const struct follow_zone *
room_is_held_for(const struct follower *f, const struct follow_link *l)
{
	return is_held(f) && f->claim.on == l ? LIST_ENTRY(f->claim.want, struct follow_zone, want) : NULL;
}

bool
room_is_there(const struct follower *f, const struct follow_zone *z)
{
	bool is_after_claim = is_held(f) && f->claim.want != &z->want;
	return z->query == QUERY_CHANGES || (!is_after_claim && is_enough(f, z));
}

void
room_reserve(struct follower *f, struct ask *a)
{
	size_t wanted = wanted_of(f, a->zone), left = less(all_room(f), f->reserved);
	a->reserved = wanted < left ? wanted : left;
	f->reserved += a->reserved;
	f->wholes_n += a->query == QUERY_WHOLE;
	f->claim.passed += a->query == QUERY_WHOLE;
}

/* What others leave. */
static size_t
left_for(const struct follower *f, const struct ask *a)
{
	return less(all_room(f), f->reserved - a->reserved);
}

size_t
room_of(const struct follower *f, const struct ask *a)
{
	size_t left = left_for(f, a), most = zone_max(f);
	return left < most ? left : most;
}

void
room_note(struct follower *f, struct ask *a)
{
	size_t used = incoming_octets(a->in);
	if (used > a->reserved) {
		f->reserved += used - a->reserved;
		a->reserved = used;
	}
}

void
room_release(struct follower *f, struct ask *a)
{
	f->reserved -= a->reserved;
	a->reserved = 0;
	f->wholes_n -= a->query == QUERY_WHOLE;
}

bool
room_is_shared(const struct follower *f, const struct ask *a)
{
	return f->reserved != a->reserved && left_for(f, a) < zone_max(f);
}
