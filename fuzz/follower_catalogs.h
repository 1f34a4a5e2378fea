/* fuzz/follower_catalogs.h -- a plain model of two catalogs: whose each zone is (RFC 9432 4.4.1, 5), and when it begins anew.
 *
 * A version counts as a whole at the moment at which it is taken.  What the follower does because of that may take longer: a zone that
 * goes, or begins anew, waits for the end of its transfer, or for memory.
 */
#pragma once

#include "auth/follower_p.h"

#include "follower_zones.h"

/* What catalogs say of a zone. */
struct owned {
	int catalog;       /* 0 or 1: has it, or had it last; NOBODY */
	bool is_leaving;   /* that one lists it no more */
	bool must_reset;   /* it begins anew, and was not shown so yet */
	bool may_move;     /* to the other one */
	unsigned slot;     /* stands for its label */
	int told;          /* what whoever shows the zone was told last */
};

struct catalogs {
	struct owned of[ZONES];
	uint32_t serial[CATALOGS];  /* of the present version */
	bool is_broken[CATALOGS];   /* it is */
	bool has_missed[CATALOGS];  /* it had expired when the other one has lost some */
};

static inline void
catalogs_begin(struct catalogs *m)
{
	*m = (struct catalogs){ 0 };
	for (size_t i = 0; i < ZONES; i++) {
		m->of[i].catalog = m->of[i].told = NOBODY;
	}
}

static inline bool
owned_is_member(const struct owned *o)
{
	return o->catalog != NOBODY && !o->is_leaving;
}

/* Not what is followed in any case, nor "m.o" if its primary is not the catalog's. */
static inline bool
may_be_member(int catalog, int zone)
{
	return zone == A_Z || zone == Y || (zone == M_O && catalog == 1);
}

static inline bool
is_listed_twice(uint32_t serial)
{
	bool is = false;
	for (unsigned i = 0; i < SLOTS; i++) {
		for (unsigned k = 0; k < i; k++) {
			is |= slot_member(serial, i) != NOBODY && slot_member(serial, i) == slot_member(serial, k);
		}
	}
	return is;
}

static inline bool
catalog_is_broken(uint32_t serial)
{
	return catalog_flaw(serial) >= FLAW_VERSION || is_listed_twice(serial);
}

static inline void
catalogs_take_slot(struct catalogs *m, int c, unsigned slot, bool is_again)
{
	int zone = slot_member(m->serial[c], slot);
	struct owned *o = zone != NOBODY ? &m->of[zone] : NULL;
	if (zone == NOBODY || (o->catalog != c && !may_be_member(c, zone))) {
		return;
	}
	bool is_others = o->catalog == 1 - c, has_gone = is_others && o->is_leaving;
	bool may_move = is_others && o->may_move && !m->is_broken[1 - c] && !is_again;
	if (is_others && !has_gone && !may_move) {
		return;
	}
	o->must_reset |= o->catalog != NOBODY && (o->slot != slot || has_gone);
	o->catalog = c;
	o->slot = slot;
	o->is_leaving = false;
	o->may_move = slot_may_move(m->serial[c], slot);
}

static inline bool
catalog_lists(uint32_t serial, int zone)
{
	bool is = false;
	for (unsigned i = 0; i < SLOTS; i++) {
		is |= slot_member(serial, i) == zone;
	}
	return is;
}

/* True: some were lost. */
static inline bool
catalogs_take_all(struct catalogs *m, int c, bool is_again)
{
	bool has_lost = false;
	for (unsigned i = 0; i < SLOTS; i++) {
		catalogs_take_slot(m, c, i, is_again);
	}
	for (int i = 0; i < ZONES; i++) {
		struct owned *o = &m->of[i];
		if (o->catalog == c && !o->is_leaving && !catalog_lists(m->serial[c], i)) {
			o->is_leaving = has_lost = true;
		}
	}
	return has_lost;
}

/* What the other one has lost, this one may have. */
static inline void
catalogs_take_again(struct catalogs *m, int c)
{
	m->has_missed[c] = false;
	if (!m->is_broken[c]) {
		(void)catalogs_take_all(m, c, true);
	}
}

/* Catalog `c` has that version.  Has the other one expired, or not come yet, then it has nothing until it is served. */
static inline void
catalogs_take(struct catalogs *m, int c, uint32_t serial, bool is_other_served)
{
	m->serial[c] = serial;
	m->is_broken[c] = catalog_is_broken(serial);
	m->has_missed[c] = false;
	if (!m->is_broken[c] && catalogs_take_all(m, c, false)) {
		m->has_missed[1 - c] = true;
		if (is_other_served) {
			catalogs_take_again(m, 1 - c);
		}
	}
}

/* The zone has gone, if it had to; or begins anew. */
static inline void
catalogs_forgotten(struct catalogs *m, int zone)
{
	struct owned *o = &m->of[zone];
	o->must_reset = false;
	o->told = NOBODY;
	o->catalog = owned_is_member(o) ? o->catalog : NOBODY;
	o->is_leaving = false;
}

/* ---- what must hold ---- */

static inline const uint8_t *
catalog_name(int c)
{
	return (const uint8_t *)zone_names[CATALOG + c];
}

static inline void
check_owned(const struct owned *o, const struct follow_zone *z)
{
	const struct membership *is = z != NULL ? z->member : NULL;
	ASSERT((is != NULL) == (o->catalog != NOBODY));
	if (is == NULL) {
		return;
	}
	ASSERT(name_is_equal(is->catalog->zone->apex, catalog_name(o->catalog)));
	ASSERT(is->label[0] == 1 && is->label[1] == 'e' + o->slot);
	ASSERT(followed_is_leaving(z) == o->is_leaving);
	ASSERT(!z->is_aside || (z->presence == FOLLOW_WITHDRAWN && z->phase == ZONE_RESTING));
	ASSERT((z->demand == DEMAND_RESET || z->demand == DEMAND_FORGET) == o->must_reset);
	ASSERT(o->is_leaving || (is->next != NULL) == o->may_move);
}

/* `had_room`: there was memory for all that was to be shown. */
static inline void
catalogs_check(const struct catalogs *m, const struct follower *f, bool had_room)
{
	for (int i = 0; i < ZONES; i++) {
		const struct follow_zone *z = followed_get(f, (const uint8_t *)zone_names[i]);
		check_owned(&m->of[i], z);
		ASSERT(z == NULL || z->demand != DEMAND_NOTHING || !had_room || m->of[i].told == m->of[i].catalog);
	}
}
