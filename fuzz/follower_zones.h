/* fuzz/follower_zones.h -- the zones that primaries have, what each of their versions has, and the keys with which a follower asks for them. */
#pragma once

#include "auth/follower.h"

#include "base/buf.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

enum {
	SOA_LEN = 22, TTL = 60, REFRESH_S = 100, RETRY_S = 10, EXPIRE_S = 1000, /* of every version */
	CONTENT_MAX = 10,      /* records of a version, besides SOA and NS */
	GOOD_SERIAL = 1000,    /* newer than any that the input can name */
	SLOTS = 3, NOBODY = -1,
};

/* From CATALOG on they are there only when catalogs are followed. */
enum { Z, A_Z, B_Z, Y, ROOT, CATALOG, OTHER_CATALOG, O, M_O, ZONES, PLAIN_ZONES = CATALOG, CATALOGS = 2 };

static const char *const zone_names[ZONES] = { "\1z", "\1a\1z", "\1b\1z", "\1y", "", "\1c", "\1d", "\1o", "\1m\1o" };

enum { SOURCES = 6, PLAIN_SOURCES = 4, LINKS = 3 };

static struct key keys[SOURCES] = {
	{ .tsig = { .name = { 3, "\1k" }, .alg = HMAC_SHA256, .secret = "one", .secret_len = 16 } },
	{ .tsig = { .name = { 3, "\1l" }, .alg = HMAC_SHA256, .secret = "two", .secret_len = 16 } },
	{ .tsig = { .name = { 3, "\1m" }, .alg = HMAC_SHA512, .secret = "three", .secret_len = 16 } },
	{ .tsig = { .name = { 3, "\1n" }, .alg = HMAC_SHA256, .secret = "four", .secret_len = 16 } },
	{ .tsig = { .name = { 3, "\1p" }, .alg = HMAC_SHA256, .secret = "five", .secret_len = 16 } },
	{ .tsig = { .name = { 3, "\1q" }, .alg = HMAC_SHA256, .secret = "six", .secret_len = 16 } },
};

/* The first and the third share a link, which is kept.  The third alone is asked about "y" and the root.  The last three share a link. */
static const struct follow_source sources[SOURCES] = {
	{ .key = &keys[0], .domain = (const uint8_t *)"\1z", .address = { 4, { 10, 0, 0, 1 } }, .port = 53 },
	{ .key = &keys[1], .domain = (const uint8_t *)"\1z", .address = { 4, { 10, 0, 0, 2 } }, .port = 53 },
	{ .key = &keys[2], .domain = (const uint8_t *)"", .address = { 4, { 10, 0, 0, 1 } }, .port = 53, .is_kept = true },
	{ .key = &keys[3], .domain = (const uint8_t *)"\1b\1z", .address = { 4, { 10, 0, 0, 3 } }, .port = 53 },
	{ .key = &keys[4], .domain = (const uint8_t *)"\1d", .address = { 4, { 10, 0, 0, 3 } }, .port = 53 },
	{ .key = &keys[5], .domain = (const uint8_t *)"\1o", .address = { 4, { 10, 0, 0, 3 } }, .port = 53 },
};

/* ---- catalogs: a version is made of its serial, so that it has the same content whenever it comes, and changes between any two fit ---- */

/* Its highest bits say which one is newer. */
#define CATALOG_ORDER (UINT32_C(1) << 16)

enum catalog_flaw { FLAW_NONE, FLAW_VERSION = 12, FLAW_NO_VERSION, FLAW_TWO_MEMBERS, FLAW_TWO_COO };

/* What each slot lists, by three bits.  The bit after these says that the zone may move to the other catalog. */
static inline int
slot_member(uint32_t serial, unsigned slot)
{
	static const int members[8] = { NOBODY, A_Z, Y, M_O, Z, OTHER_CATALOG, Y, A_Z };
	return members[serial >> 4 * slot & 7];
}

static inline bool
slot_may_move(uint32_t serial, unsigned slot)
{
	return (serial >> (4 * slot + 3) & 1) != 0;
}

static inline unsigned
catalog_flaw(uint32_t serial)
{
	return serial >> 12 & 15;
}

/* ---- records ---- */

struct record {
	uint16_t type;      /* SOA, NS, A, TXT, PTR; 0: an A that is in another zone */
	uint32_t value;     /* SOA: the serial; A: goes by it; TXT: an octet */
	const char *prefix; /* labels of the owner, before the zone's name; NULL: none */
	const char *target; /* PTR */
};

static inline unsigned
catalog_content(int zone, uint32_t serial, struct record *out)
{
	static const char *const labels[SLOTS] = { "\1e\5zones", "\1f\5zones", "\1g\5zones" };
	static const char *const coo[SLOTS] = { "\3coo\1e\5zones", "\3coo\1f\5zones", "\3coo\1g\5zones" };
	unsigned n = 0, flaw = catalog_flaw(serial);
	if (flaw != FLAW_NO_VERSION) {
		out[n++] = (struct record){ TYPE_TXT, flaw == FLAW_VERSION ? '1' : '2', "\7version" };
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		int member = slot_member(serial, i);
		if (member != NOBODY) {
			out[n++] = (struct record){ TYPE_PTR, 0, labels[i], zone_names[member] };
		}
		if (member != NOBODY && slot_may_move(serial, i)) {
			out[n++] = (struct record){ TYPE_PTR, 0, coo[i], zone_names[zone == CATALOG ? OTHER_CATALOG : CATALOG] };
		}
	}
	if (flaw == FLAW_TWO_MEMBERS || flaw == FLAW_TWO_COO) {
		out[n++] = (struct record){ TYPE_PTR, 0, flaw == FLAW_TWO_COO ? coo[0] : labels[0], "\1v" };
		out[n++] = (struct record){ TYPE_PTR, 0, flaw == FLAW_TWO_COO ? coo[0] : labels[0], "\1w" };
	}
	return n;
}

static inline int
zone_number(const uint8_t *name)
{
	int i = 0;
	while (!name_is_equal(name, (const uint8_t *)zone_names[i])) {
		i++;
		ASSERT(i < ZONES);
	}
	return i;
}

/* Other zones have an A that goes by the serial. */
static inline unsigned
content_of(const uint8_t *zone, uint32_t serial, struct record *out)
{
	int number = zone_number(zone);
	if (number == CATALOG || number == OTHER_CATALOG) {
		return catalog_content(number, serial, out);
	}
	out[0] = (struct record){ TYPE_A, serial };
	return 1;
}

/* ---- their wire format ---- */

static inline void
put_soa(struct buf *b, uint32_t serial)
{
	buf_u16(b, SOA_LEN);
	buf_u16(b, 0); /* MNAME and RNAME: the root */
	buf_u32(b, serial);
	buf_u32(b, REFRESH_S);
	buf_u32(b, RETRY_S);
	buf_u32(b, EXPIRE_S);
	buf_u32(b, 1);
}

static inline void
put_target(struct buf *b, const char *name)
{
	size_t len = name_len((const uint8_t *)name);
	buf_u16(b, (uint16_t)len);
	buf_put(b, name, len);
}

static inline void
put_rdata(struct buf *b, uint16_t type, const struct record *r)
{
	switch (type) {
	case TYPE_SOA:
		put_soa(b, r->value);
		break;
	case TYPE_NS:
		put_target(b, "\1x");
		break;
	case TYPE_PTR:
		put_target(b, r->target);
		break;
	case TYPE_TXT:
		buf_u16(b, 2);
		buf_u16(b, (uint16_t)(0x100 | r->value));
		break;
	default:
		buf_u16(b, 4);
		buf_u32(b, 0xC0000200u + r->value % 8);
	}
}

static inline void
put_record(struct buf *b, const struct name *zone, const struct record *r)
{
	uint16_t type = r->type != 0 ? r->type : TYPE_A;
	if (r->type == 0) {
		buf_put(b, "\1x", 3);
	} else {
		buf_put(b, r->prefix, r->prefix != NULL ? strlen(r->prefix) : 0);
		buf_put(b, zone->oct, zone->len);
	}
	buf_u16(b, type);
	buf_u16(b, CLASS_IN);
	buf_u32(b, TTL);
	put_rdata(b, type, r);
	buf_patch_u16(b, 6, (uint16_t)((b->base[6] << 8 | b->base[7]) + 1));
}
