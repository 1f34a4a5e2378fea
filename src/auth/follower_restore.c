/* Zones of an earlier run. */
#include "auth/follower_p.h"
#include "zone/zone.h"

/* The source that answered last, if it is still there; else the first one of the zone, if it is followed, or of whatever has that name.
 * -1: there is none. */
static int
source_of(const struct follower *f, const struct follow_zone *z, const uint8_t *apex, const struct follow_restored *r, bool *is_it)
{
	int first = -1;
	*is_it = false;
	for (size_t i = 0; i < f->sources_n; i++) {
		const struct source *s = f->sources[i];
		if (!(z != NULL ? source_is_of(s, z) : source_is_for(s, apex))) {
			continue;
		}
		*is_it = r->key != NULL && name_is_equal(s->at.key->tsig.name.oct, r->key) && s->at.port == r->port &&
		         key_address_is_equal(&s->at.address, &r->address);
		if (*is_it) {
			return (int)i;
		}
		first = first < 0 ? (int)i : first;
	}
	return first;
}

/* One that had been withdrawn is UNKNOWN: it may be back since, and those that follow us would take our NOTAUTH for its end. */
static err_t
restore(struct follower *f, const struct now *now, struct follow_zone *z, struct zone **whole, const struct follow_restored *r)
{
	z->times = followed_times(f, *whole);
	bool is_over = r->refreshed_ago_s >= z->times.expire_s;
	if (r->is_withdrawn && is_over && !followed_is_pinned(z)) {
		return E_STALE;
	}
	enum follow_presence presence = is_over ? FOLLOW_EXPIRED : r->is_withdrawn ? FOLLOW_UNKNOWN : FOLLOW_PRESENT;
	TRY(followed_tell_owner(f, z));
	TRY(f->conf.io.restore(f->conf.io.ctx, z->apex, whole, presence, r->changed_s, &z->version));
	z->presence = presence;
	z->refreshed_ns = now->mono_ns - seconds_ns(r->refreshed_ago_s); /* may be before 0: only differences count */
	z->taken_ns = now->mono_ns - seconds_ns(now->wall_s > r->changed_s ? now->wall_s - r->changed_s : 0);
	z->expires_ns = is_over ? NOW_NEVER : now->mono_ns + seconds_ns(z->times.expire_s - r->refreshed_ago_s);
	return OK;
}

/* One that no catalog lists, and that is none. */
static err_t
restore_other(struct follower *f, const struct now *now, struct zone **whole, const struct follow_restored *r, struct follow_zone **out)
{
	TRY(followed_put(f, (*whole)->apex_name, out));
	err_t err = restore(f, now, *out, whole, r);
	if (err != OK) {
		followed_drop(f, *out);
	}
	return err;
}

/* Asks about it, in place of what there was to be asked about a zone without a version. */
static void
begin(struct follower *f, struct follow_zone *z, size_t source, bool is_it)
{
	ASSERT(z->phase != ZONE_ASKED);
	if (z->phase == ZONE_WAITING) {
		link_wait_no_more(f, &z->want);
		z->phase = ZONE_RESTING;
	}
	z->good = (uint16_t)source;
	z->has_good = is_it;
	followed_begin_round(f, z, source, (struct serial_hint){ 0 });
}

/* A zone that its catalog let go is not asked for, and under which label it was is not known any more. */
err_t
follower_restore(struct follower *f, const struct now *now, struct zone **whole, const struct follow_restored *r)
{
	struct follow_zone *z = followed_get(f, (*whole)->apex_name);
	bool is_it;
	int source = source_of(f, z, (*whole)->apex_name, r, &is_it);
	if (source < 0 || r->is_unlisted) {
		return E_NOTFOUND;
	}
	if (z != NULL && (!followed_is_pinned(z) || z->version != NULL)) {
		return E_EXISTS;
	}
	TRY(z != NULL ? restore(f, now, z, whole, r) : restore_other(f, now, whole, r, &z));
	follower_say(f, (struct follow_report){ .event = z->presence == FOLLOW_EXPIRED ? FOLLOW_EXPIRY : FOLLOW_RESTORED, .zone = z->apex,
	                                        .source = is_it ? &f->sources[source]->at : NULL, .serial = z->version->serial });
	begin(f, z, (size_t)source, is_it);
	struct followed_catalog *c = followed_as_catalog(f, z);
	if (c != NULL) {
		catalog_restored(f, now, c);
	}
	return OK;
}
