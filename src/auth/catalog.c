#include "auth/catalog.h"

#include <string.h>

#include "crypto/sha.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "dns/wire.h"
#include "zone/changes.h"
#include "zone/history.h"

enum {
	REFRESH_S = 3600, RETRY_S = 600, EXPIRE_S = INT32_MAX - 1, /* as in the example of RFC 9432 4.1; TTLs have no meaning in
	                                                            * a catalog */
	ID_OCTETS = 20,
};

/* ---- records ---- */

struct soa_rdata {
	uint8_t octets[2 * 9 + 5 * 4];
};

static uint8_t *
put32(uint8_t *p, uint32_t v)
{
	for (unsigned shift = 32; shift > 0; shift -= 8) {
		*p++ = (uint8_t)(v >> (shift - 8));
	}
	return p;
}

static const uint8_t INVALID[] = "\7invalid"; /* with its root label; a name server that does not exist (RFC 9432 4.1, RFC 6761
                                               * 6.4) */

static struct soa_rdata
soa_of(uint32_t serial)
{
	struct soa_rdata out;
	uint8_t *p = out.octets;
	memcpy(p, INVALID, sizeof INVALID);
	memcpy(p + sizeof INVALID, INVALID, sizeof INVALID);
	p = put32(p + 2 * sizeof INVALID, serial);
	p = put32(p, REFRESH_S);
	p = put32(p, RETRY_S);
	p = put32(p, EXPIRE_S);
	put32(p, 0);
	return out;
}

/* The owner of the zone's PTR record (RFC 9432 4.2). */
static err_t
member_name(const uint8_t *apex, const struct zone *member, uint8_t out[NAME_WIRE_MAX])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t lower[NAME_WIRE_MAX], id[ID_OCTETS], *p = out;
	name_lower(lower, member->apex_name);
	TRY(sha1(lower, member->apex_len, NULL, 0, id));
	*p++ = 2 * ID_OCTETS;
	for (unsigned i = 0; i < ID_OCTETS; i++) {
		*p++ = (uint8_t)digits[id[i] >> 4];
		*p++ = (uint8_t)digits[id[i] & 15];
	}
	memcpy(p, "\5zones", 6);
	memcpy(p + 6, apex, name_len(apex));
	return OK;
}

/* ---- a new catalog ---- */

static err_t
add_all(struct zone_builder *b, const uint8_t *apex, const struct trie *zones)
{
	struct trie_iter it;
	uint8_t owner[NAME_WIRE_MAX];
	trie_iter_first(&it, zones);
	for (const struct zone *z; (z = trie_iter_next(&it)) != NULL;) {
		if (!name_is_equal(z->apex_name, apex)) {
			TRY(member_name(apex, z, owner));
			TRY(zone_builder_add(b, owner, TYPE_PTR, 0, z->apex_name, z->apex_len));
		}
	}
	return OK;
}

static err_t
add_frame(struct zone_builder *b, const uint8_t *apex, uint32_t serial)
{
	static const uint8_t two[] = { 1, '2' }; /* version of the schema (RFC 9432 4.2.1) */
	uint8_t owner[NAME_WIRE_MAX] = "\7version";
	struct soa_rdata soa = soa_of(serial);
	memcpy(owner + 8, apex, name_len(apex));
	TRY(zone_builder_add(b, apex, TYPE_SOA, 0, soa.octets, sizeof soa.octets));
	TRY(zone_builder_add(b, apex, TYPE_NS, 0, INVALID, sizeof INVALID));
	return zone_builder_add(b, owner, TYPE_TXT, 0, two, sizeof two);
}

static err_t
make(const uint8_t *apex, const struct trie *zones, uint32_t serial, struct zone **out)
{
	struct findings none = { 0 };
	struct zone_builder *b = NULL;
	TRY(zone_builder_new(apex, &none, &b));
	err_t err = add_frame(b, apex, serial);
	err = err == OK ? add_all(b, apex, zones) : err;
	err = err == OK ? zone_builder_finish(b, out) : err;
	zone_builder_free(&b);
	findings_fini(&none);
	return err;
}

/* ---- the next version of a catalog ---- */

static err_t
note(struct zone_txn *t, const uint8_t *apex, const struct zone *member, bool is_there)
{
	uint8_t owner[NAME_WIRE_MAX];
	TRY(member_name(apex, member, owner));
	return is_there ? zone_txn_add(t, owner, TYPE_PTR, 0, member->apex_name, member->apex_len)
	                : zone_txn_remove(t, owner, TYPE_PTR, member->apex_name, member->apex_len);
}

static int
order_of(const struct zone *a, const struct zone *b)
{
	return a == NULL ? 1 : b == NULL ? -1 : a == b ? 0 : name_compare(a->apex_name, b->apex_name);
}

/* Walks both sets side by side, and skips what they share: the cost depends on the changes alone. */
static err_t
note_differences(struct zone_txn *t, const uint8_t *apex, const struct trie *old, const struct trie *now)
{
	struct trie_iter in_old, in_now;
	trie_iter_first(&in_old, old);
	trie_iter_first(&in_now, now);
	const struct zone *a = trie_iter_next(&in_old), *b = trie_iter_next(&in_now);
	while (a != NULL || b != NULL) {
		int order = order_of(a, b);
		if (order != 0) {
			TRY(note(t, apex, order < 0 ? a : b, order > 0));
		} else if (a == b) {
			trie_iter_skip_shared(&in_old, &in_now);
		}
		a = order <= 0 ? trie_iter_next(&in_old) : a;
		b = order >= 0 ? trie_iter_next(&in_now) : b;
	}
	return OK;
}

static uint32_t
serial_after(const struct zone *before, uint64_t now_s)
{
	return before == NULL ? (uint32_t)now_s : serial_by_time(history_newest_serial(before), now_s);
}

static err_t
raise_serial(struct zone_txn *t, const uint8_t *apex, const struct zone *from, uint64_t now_s)
{
	struct soa_rdata old = soa_of(from->serial), new = soa_of(serial_after(from, now_s));
	TRY(zone_txn_remove(t, apex, TYPE_SOA, old.octets, sizeof old.octets));
	return zone_txn_add(t, apex, TYPE_SOA, 0, new.octets, sizeof new.octets);
}

/* ---- into the next view ---- */

static err_t
put(struct view *next, struct zone *z, struct garbage *garbage)
{
	struct trie_txn set;
	void *replaced;
	trie_begin(&set, &next->zones);
	err_t err = trie_put(&set, z, &replaced);
	if (err != OK) {
		trie_rollback(&set);
		return err;
	}
	next->zones = trie_commit(&set, garbage);
	next->catalog = z;
	return OK;
}

static err_t
take_over(struct zone_txn **t, const struct zone *from, struct view *next, struct garbage *garbage)
{
	const struct zone *prepared;
	struct zone_changes changes = { 0 };
	struct zone *made;
	TRY(zone_txn_prepare(*t, &prepared));
	err_t err = zone_changes_of(*t, &changes);
	err = err == OK ? put(next, (struct zone *)(uintptr_t)prepared, garbage) : err;
	if (err == OK) {
		err = zone_txn_commit(t, &made, garbage);
		ASSERT(err == OK && made == prepared);
		history_extend(from, made, &changes, garbage);
	}
	zone_changes_fini(&changes);
	return err;
}

static err_t
follow(const uint8_t *apex, const struct view *before, struct view *next, uint64_t now_s, struct garbage *garbage)
{
	[[gnu::cleanup(zone_txn_rollback)]] struct zone_txn *t = NULL;
	bool is_effective = false;
	TRY(zone_txn_begin(before->catalog, &t));
	TRY(note_differences(t, apex, &before->zones, &next->zones));
	TRY(zone_txn_is_effective(t, &is_effective));
	if (!is_effective) {
		return OK;
	}
	TRY(raise_serial(t, apex, before->catalog, now_s));
	return take_over(&t, before->catalog, next, garbage);
}

static err_t
begin(const uint8_t *apex, const struct view *before, struct view *next, uint64_t now_s, struct garbage *garbage,
      struct zone **retired)
{
	struct zone *z = NULL;
	TRY(make(apex, &next->zones, serial_after(before->catalog, now_s), &z));
	err_t err = put(next, z, garbage);
	if (err != OK) {
		zone_free(&z);
	} else if (before->catalog != NULL) {
		history_drop(before->catalog, garbage);
		*retired = (struct zone *)(uintptr_t)before->catalog;
	}
	return err;
}

err_t
catalog_follow(const uint8_t *apex, const struct view *before, struct view *next, uint64_t now_s, bool is_behind,
               struct garbage *garbage, struct zone **retired)
{
	*retired = NULL;
	next->catalog = before->catalog;
	return before->catalog == NULL || is_behind ? begin(apex, before, next, now_s, garbage, retired)
	                                            : follow(apex, before, next, now_s, garbage);
}
