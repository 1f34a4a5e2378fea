/* What catalogs list becomes zones that are followed.
 *
 * Not taken from a catalog is: a name that is a catalog's, or the domain of a key, since such zones are followed without it; a zone of
 * another catalog, unless that one lets it go by its coo property (RFC 9432 4.4.1, 5.2); and a name in the domain of keys that are all for
 * other primaries (the root's keys apart), so that whoever makes the catalog has no power over their zones (RFC 9432 7). */
#include <string.h>

#include "auth/catalog_read.h"
#include "auth/follower_p.h"
#include "zone/zone.h"

/* One version of a catalog on its way into the zones. */
struct reading {
	struct follower *f;
	const struct now *now;
	struct followed_catalog *c;
	struct follow_counts counts;
	unsigned said;
	bool is_again;    /* the version was read before, */
	bool is_restored; /* or in an earlier run */
	bool is_short; /* of memory */
	uint32_t refused_hash;
	struct {
		const uint8_t *name;
		const char *why;
	} refused[FOLLOWER_MEMBERS_SAID]; /* the first ones */
};

/* ---- what is said ---- */

static void
say(struct reading *r, enum follow_event event, const uint8_t *zone, const char *why)
{
	if (r->said++ < FOLLOWER_MEMBERS_SAID) {
		follower_say(r->f, (struct follow_report){ .event = event, .zone = zone, .catalog = r->c->zone->apex, .why = why });
	}
}

static void
say_counts(const struct reading *r, enum follow_event event)
{
	follower_say(r->f, (struct follow_report){ .event = event, .zone = r->c->zone->apex, .serial = r->c->zone->version->serial,
	                                           .counts = &r->counts });
}

static void
refuse(struct reading *r, const struct catalog_member *m, const char *why)
{
	if (r->counts.refused < ARRAY_LEN(r->refused)) {
		r->refused[r->counts.refused].name = m->name;
		r->refused[r->counts.refused].why = why;
	}
	r->refused_hash += name_hash(m->name);
	r->counts.refused++;
}

/* Not with each version, if they are the same as before. */
static void
say_refused(struct reading *r)
{
	bool is_news = r->c->refused != r->counts.refused || r->c->refused_hash != r->refused_hash;
	r->said = 0;
	for (size_t i = 0; is_news && i < r->counts.refused && i < ARRAY_LEN(r->refused); i++) {
		say(r, FOLLOW_MEMBER_REFUSED, r->refused[i].name, r->refused[i].why);
	}
	r->c->refused = r->counts.refused;
	r->c->refused_hash = r->refused_hash;
}

/* ---- what is not taken ---- */

static bool
is_catalog(const struct follower *f, const uint8_t *name)
{
	bool is_one = false;
	for (size_t i = 0; i < f->catalogs_n; i++) {
		is_one |= name_is_equal(f->catalogs[i].zone->apex, name);
	}
	return is_one;
}

static bool
has_primary_of(const struct follower *f, const struct followed_catalog *c, const struct source *s)
{
	bool has = false;
	for (size_t i = 0; i < f->sources_n; i++) {
		const struct source *ours = f->sources[i];
		has |= source_is_for(ours, c->zone->apex) && ours->at.port == s->at.port &&
		       key_address_is_equal(&ours->at.address, &s->at.address);
	}
	return has;
}

static const char *
why_by_keys(const struct follower *f, const struct followed_catalog *c, const uint8_t *name)
{
	bool is_in_domain = false, is_ours = false;
	for (size_t i = 0; i < f->sources_n; i++) {
		const struct source *s = f->sources[i];
		if (name_is_equal(s->at.domain, name)) {
			return "it is the domain of a key";
		}
		if (!name_is_root(s->at.domain) && source_is_for(s, name)) {
			is_in_domain = true;
			is_ours |= has_primary_of(f, c, s);
		}
	}
	return is_in_domain && !is_ours ? "it lies in the domain of keys for other primaries" : NULL;
}

/* NULL: nothing speaks against it. */
static const char *
why_not(const struct reading *r, const struct follow_zone *z, const uint8_t *name)
{
	if (is_catalog(r->f, name)) {
		return "it is the name of a catalog";
	}
	const struct membership *m = z != NULL ? z->member : NULL;
	bool may_move = m != NULL && m->next == r->c && !m->catalog->is_broken && !r->is_again; /* only with a new version (4.4.1) */
	if (m != NULL && m->catalog != r->c && !may_move && !followed_is_leaving(z)) {
		return "another catalog has it";
	}
	return m != NULL && m->catalog == r->c ? NULL : why_by_keys(r->f, r->c, name);
}

/* ---- members ---- */

static void
come(struct reading *r, const struct catalog_member *m)
{
	struct follow_zone *z;
	err_t err = followed_put(r->f, m->name, &z);
	if (err == E_LIMIT) {
		refuse(r, m, "too many zones are followed");
		return;
	}
	if (err == OK && (err = followed_enter(z, r->c, m->label)) != OK) {
		followed_drop(r->f, z);
	}
	if (err != OK) {
		r->is_short = true;
		return;
	}
	if (!r->is_restored) {
		r->counts.added++;
		say(r, FOLLOW_MEMBER, z->apex, "it is listed");
	}
	followed_begin(r->f, r->now, z, followed_first_source(r->f, z));
}

/* The view is to know whose the zone is now.  Without memory, it does so with the next version. */
static void
show_owner(const struct reading *r, struct follow_zone *z)
{
	(void)followed_show(r->f, z, z->presence);
}

/* A zone that was found by a NOTIFY is the catalog's from now on. */
static void
adopt(struct reading *r, struct follow_zone *z)
{
	r->counts.added++;
	say(r, FOLLOW_MEMBER, z->apex, "it is listed; it was followed without that before");
	show_owner(r, z);
	if (z->phase == ZONE_RESTING && z->presence != FOLLOW_PRESENT) {
		followed_ask_all(r->f, z);
	}
}

/* It was the catalog's before, or still is. */
static void
go_on(struct reading *r, struct follow_zone *z, bool is_same)
{
	bool was_leaving = followed_is_leaving(z);
	r->counts.added += was_leaving;
	r->counts.reset += !is_same && !was_leaving;
	if (!is_same) {
		say(r, FOLLOW_MEMBER, z->apex, "its label has changed: it begins anew, without the data that it had");
		followed_demand(r->f, r->now, z, DEMAND_RESET);
	} else if (was_leaving) {
		say(r, FOLLOW_MEMBER, z->apex, "it is listed again");
		followed_return(r->f, r->now, z);
	}
}

/* The catalog that lets it go may list it still, and has it no more. */
static void
note_let_go(struct followed_catalog *c, const uint8_t *zone)
{
	c->refused++;
	c->refused_hash += name_hash(zone);
}

/* From another catalog, which lets it go, or has lost it. */
static void
change_over(struct reading *r, struct follow_zone *z, bool is_same, bool was_leaving)
{
	r->counts.moved += !was_leaving;
	r->counts.added += was_leaving;
	say(r, FOLLOW_MEMBER, z->apex, was_leaving ? "it is listed; it was another catalog's before"
	                               : is_same   ? "it comes from another catalog, with its data"
	                                           : "it comes from another catalog, without its data");
	z->has_good = false;
	if (is_same && !was_leaving) {
		show_owner(r, z);
	}
	followed_demand(r->f, r->now, z, is_same && !was_leaving ? DEMAND_ASK : DEMAND_RESET);
}

static void
meet(struct reading *r, struct follow_zone *z, const struct catalog_member *m)
{
	const struct membership *was = z->member;
	struct followed_catalog *from = was != NULL ? was->catalog : NULL;
	bool is_new = was == NULL, is_ours = was != NULL && was->catalog == r->c, was_leaving = followed_is_leaving(z);
	bool is_same = was != NULL && catalog_is_label(was->label, m->label);
	if (!(is_ours && is_same) && followed_enter(z, r->c, m->label) != OK) {
		r->is_short = true;
	} else if (is_new) {
		adopt(r, z);
	} else if (is_ours) {
		go_on(r, z, is_same);
	} else {
		if (!was_leaving) {
			note_let_go(from, z->apex);
		}
		change_over(r, z, is_same, was_leaving);
	}
}

/* The zone is one of the version's members, and may move to the catalog that this says. */
static void
mark(const struct reading *r, const struct catalog_member *m)
{
	struct follow_zone *z = followed_get(r->f, m->name);
	if (z == NULL || z->member == NULL || z->member->catalog != r->c) {
		return;
	}
	z->member->generation = r->c->generation;
	z->member->next = NULL;
	for (size_t i = 0; m->next != NULL && i < r->f->catalogs_n; i++) {
		const struct followed_catalog *c = &r->f->catalogs[i];
		z->member->next = name_is_equal(c->zone->apex, m->next) ? c : z->member->next;
	}
}

static void
take_member(struct reading *r, const struct catalog_member *m)
{
	struct follow_zone *z = followed_get(r->f, m->name);
	const char *why = why_not(r, z, m->name);
	if (why != NULL) {
		refuse(r, m, why);
	} else if (z == NULL) {
		come(r, m);
	} else {
		meet(r, z, m);
	}
	mark(r, m);
}

/* ---- what is listed no more ---- */

static bool
is_lost(const struct reading *r, const struct follow_zone *z)
{
	const struct membership *m = z->member;
	return m != NULL && m->catalog == r->c && !followed_is_leaving(z) && m->generation != r->c->generation;
}

static void
remove_rest(struct reading *r)
{
	struct trie_iter it;
	struct follow_zone *z;
	struct name name;
	struct nkey key;
	trie_iter_first(&it, &r->f->zones.now);
	while ((z = trie_iter_next(&it)) != NULL) {
		if (is_lost(r, z)) {
			r->counts.removed++;
			say(r, FOLLOW_MEMBER, z->apex, "it is listed no more");
			name_set(&name, z->apex);
			followed_demand(r->f, r->now, z, DEMAND_DROP);
			nkey_set(&key, name.oct);
			trie_iter_seek(&it, &r->f->zones.now, &key); /* the trie may have changed */
		}
	}
}

/* ---- a version ---- */

static void
take_all(struct reading *r, const struct catalog_list *list)
{
	struct trie_iter it;
	const struct catalog_member *m;
	r->c->generation++;
	trie_iter_first(&it, &list->members);
	while ((m = trie_iter_next(&it)) != NULL) {
		take_member(r, m);
	}
	r->c->is_behind = r->is_short;
	if (!r->is_short) { /* else a member may not be marked */
		remove_rest(r);
	}
	r->counts.members = list->members.n - r->counts.refused;
	say_refused(r);
}

static void
say_all(const struct reading *r, bool was_known)
{
	const struct follow_counts *n = &r->counts;
	if (!was_known || n->added + n->removed + n->reset + n->moved != 0) {
		say_counts(r, FOLLOW_CATALOG);
	}
	if (n->removed != 0) {
		say_counts(r, FOLLOW_MEMBERS_REMOVED);
	}
	if (r->is_short) {
		follower_say(r->f, (struct follow_report){ .event = FOLLOW_NO_ROOM, .zone = r->c->zone->apex, .why = err_str(E_NOMEM) });
	}
}

enum reason { READ_NEW, READ_AGAIN, READ_RESTORED };

/* True: others may have what it has lost. */
static bool
read_version(struct follower *f, const struct now *now, struct followed_catalog *c, enum reason reason)
{
	struct reading r = { .f = f, .now = now, .c = c, .is_again = reason == READ_AGAIN, .is_restored = reason == READ_RESTORED };
	struct catalog_list list;
	char why[CATALOG_WHY_MAX];
	err_t err = catalog_read(c->zone->version, f->conf.zones_max, &list, why);
	c->is_broken = err != OK;
	c->has_missed = false;
	if (err != OK) {
		c->is_behind = err == E_NOMEM;
		bool is_short = err == E_NOMEM;
		follower_say(f, (struct follow_report){ .event = is_short ? FOLLOW_NO_ROOM : FOLLOW_CATALOG_BROKEN, .zone = c->zone->apex,
		                                        .serial = c->zone->version->serial, .why = is_short ? err_str(err) : why });
		return false;
	}
	bool was_known = c->is_known;
	c->is_known = true;
	take_all(&r, &list);
	catalog_list_fini(&list);
	say_all(&r, was_known);
	return r.counts.removed != 0;
}

/* ---- names that nobody knows yet ---- */

bool
catalogs_are_known(const struct follower *f)
{
	bool are = true;
	for (size_t i = 0; i < f->catalogs_n; i++) {
		are &= f->catalogs[i].is_known;
	}
	return are;
}

void
catalogs_show_unknown(struct follower *f)
{
	if (f->unknown == UNKNOWN_DUE && followed_get(f, name_root) == NULL) {
		bool is_shown = f->conf.io.show(f->conf.io.ctx, name_root, FOLLOW_UNKNOWN) == OK;
		f->unknown = is_shown ? UNKNOWN_SHOWN : UNKNOWN_DUE;
	}
}

/* While it was a zone, it was shown as that. */
void
catalogs_lost_root(struct follower *f)
{
	f->unknown = catalogs_are_known(f) ? UNKNOWN_NOTHING : UNKNOWN_DUE;
	catalogs_show_unknown(f);
}

/* ---- all ---- */

struct followed_catalog *
followed_as_catalog(struct follower *f, const struct follow_zone *z)
{
	for (size_t i = 0; i < f->catalogs_n; i++) {
		if (f->catalogs[i].zone == z) {
			return &f->catalogs[i];
		}
	}
	return NULL;
}

/* One that has expired changes nothing until it is well again. */
static void
take_what_is_lost(struct follower *f, const struct now *now, struct followed_catalog *c)
{
	if (c->zone->presence == FOLLOW_PRESENT) {
		(void)read_version(f, now, c, READ_AGAIN); /* it loses nothing by that */
	} else {
		c->has_missed = true;
	}
}

void
catalog_taken(struct follower *f, const struct now *now, struct followed_catalog *c)
{
	bool has_lost = read_version(f, now, c, READ_NEW);
	for (size_t i = 0; has_lost && i < f->catalogs_n; i++) {
		struct followed_catalog *other = &f->catalogs[i];
		if (other != c && other->refused != 0 && !other->is_broken) {
			take_what_is_lost(f, now, other);
		}
	}
	domain_end_unknown(f, name_root);
}

void
catalog_is_current(struct follower *f, const struct now *now, struct followed_catalog *c)
{
	if (c->is_behind || c->has_missed) {
		(void)read_version(f, now, c, c->is_behind ? READ_NEW : READ_AGAIN);
	}
	domain_end_unknown(f, name_root);
}

void
catalog_restored(struct follower *f, const struct now *now, struct followed_catalog *c)
{
	(void)read_version(f, now, c, READ_RESTORED); /* there is nothing yet that it could lose */
	domain_end_unknown(f, name_root);
}

const uint8_t *
follower_catalog(const struct follower *f, size_t i)
{
	return i < f->catalogs_n ? f->catalogs[i].zone->apex : NULL;
}

err_t
follower_add_catalog(struct follower *f, const struct now *now, const uint8_t *name)
{
	struct follow_zone *z;
	bool has_source = false;
	for (size_t i = 0; i < f->sources_n; i++) {
		has_source |= source_is_for(f->sources[i], name);
	}
	if (!has_source || f->catalogs_n == FOLLOWER_CATALOGS_MAX) {
		return has_source ? E_LIMIT : E_NOTFOUND;
	}
	if (followed_get(f, name) != NULL) {
		return E_EXISTS;
	}
	TRY(followed_put(f, name, &z));
	z->is_catalog = true;
	f->catalogs[f->catalogs_n++] = (struct followed_catalog){ .zone = z };
	f->unknown = UNKNOWN_DUE;
	z->due_ns = z->expires_ns = now->mono_ns; /* then it is shown, and asked about */
	followed_set_timer(f, z);
	return OK;
}
