/* tests/unit/certifier_base.h -- what the worlds around a certifier have in common: keys, versions of zones, and what it calls for no more
 * than that.  A world begins with a struct base, and is the `ctx` of the certifier's calls. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/certifier.h"
#include "auth/secondary.h"
#include "certifier_ca.h"
#include "dns/rrtype.h"
#include "named.h"

enum { UPDATES = 2, START_S = 1795939200, HOUR_S = 3600, SOA_SERIAL_AT = 12 + 14 + 3 };

struct base {
	struct secondary *zones;
	struct keystore *keys;
	uint32_t ttl;        /* of records */
	uint8_t serial;      /* of the last version */
	bool is_asking;
	bool has_no_lookups; /* none can begin */
};

static void
base_begin(struct base *b, uint32_t ttl, const char *const *key_names, size_t n)
{
	b->ttl = ttl;
	b->keys = keystore_new(NULL);
	for (size_t i = 0; i < n; i++) {
		struct tsig_key k = { .alg = HMAC_SHA256, .secret = "secret", .secret_len = 6, .name = named(key_names[i]) };
		assert_int_equal(keystore_add_key(b->keys, &k), OK);
	}
	keystore_seal(b->keys);
	b->zones = secondary_new(&(struct secondary_conf){ .octets_max = 0 }, NULL);
	orders_n = proven_n = 0;
}

static void
base_end(struct base *b)
{
	secondary_free(&b->zones);
	keystore_free(&b->keys);
}

/* ---- for the certifier ---- */

static const struct view *
view(void *ctx)
{
	return secondary_view(((struct base *)ctx)->zones);
}

static void
ask_end(void *ctx, unsigned slot)
{
	(void)slot;
	((struct base *)ctx)->is_asking = false;
}

static bool
resolve(void *ctx, unsigned slot, const uint8_t *name)
{
	(void)slot;
	(void)name;
	assert_true(((struct base *)ctx)->has_no_lookups);
	return false;
}

static uint32_t
random_u32(void *ctx)
{
	(void)ctx;
	return 12345;
}

/* ---- time ---- */

static void
pass_time(struct now *now, uint64_t until_ns)
{
	if (until_ns > now->mono_ns) {
		now->wall_s += (until_ns - now->mono_ns + NOW_SECOND_NS - 1) / NOW_SECOND_NS;
		now->mono_ns = until_ns;
	}
}

/* ---- versions of zones ---- */

struct making_zone {
	struct base *base;
	struct name apex;
	struct findings findings;
	struct zone_builder *b;
};

static void
put(struct making_zone *m, const char *owner, uint16_t type, const void *rdata, size_t len)
{
	const struct name n = named(owner);
	assert_int_equal(zone_builder_add(m->b, n.oct, type, m->base->ttl, rdata, (uint16_t)len), OK);
}

static void
begin_zone(struct making_zone *m, struct base *base, const char *apex)
{
	uint8_t soa[] = "\2ns\7example\0\4host\7example\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1";
	*m = (struct making_zone){ .base = base, .apex = named(apex) };
	assert_int_equal(zone_builder_new(m->apex.oct, &m->findings, &m->b), OK);
	soa[SOA_SERIAL_AT] = ++base->serial;
	put(m, apex, TYPE_SOA, soa, sizeof soa - 1);
}

/* It is served; the certifier does not know yet. */
static void
end_zone(struct making_zone *m)
{
	struct zone *z;
	const struct zone *version;
	struct secondary_step step;
	struct zone_txn *none = NULL;
	assert_int_equal(zone_builder_finish(m->b, &z), OK);
	zone_builder_free(&m->b);
	findings_fini(&m->findings);
	assert_int_equal(secondary_take(m->base->zones, m->apex.oct, &z, &none, 0, &version, &step), OK);
	discard_free(&step.old);
	zone_free(&z); /* the new version shares memory with the one before */
}
