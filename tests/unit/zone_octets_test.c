/* What a zone says that it takes is what the allocator was asked for, and a builder keeps within what it was given.  Linked with --wrap, see
 * meson.build. */
#include "live.h"
#include "zone_text.h"

enum { RECORDS = 20000, MANY = 2000000 };
#define SLACK ((size_t)1280 << 10) /* a block of an arena, and what is made of one owner */

/* Owners in turns, under many names, as delegations with glue, with much data, deep. */
static const struct {
	const char *owner, *data;
	unsigned owners;
} styles[] = {
	{ "h%u 60 A", "192.0.2.1", RECORDS }, { "h%u 60 TXT", "\"0123456789012345678901234567890123456789\"", 7 },
	{ "h%u 60 TXT", "\"%0200u\"", 1000 }, { "d%u 60 NS", "ns.d%u", RECORDS }, { "ns.d%u 60 A", "192.0.2.1", RECORDS },
	{ "a.b.c.d.h%u 60 A", "192.0.2.1", RECORDS },
};

static err_t
add(struct zone_builder *b, size_t style, unsigned n)
{
	char owner[64], data[256], line[400];
	snprintf(owner, sizeof owner, styles[style].owner, n % styles[style].owners);
	snprintf(data, sizeof data, styles[style].data, n);
	snprintf(line, sizeof line, "%s %s", owner, data);
	struct text_rr rr = text_rr(line, example);
	return zone_builder_add(b, rr.owner.oct, rr.type, rr.ttl, rr.rdata, rr.rdlen);
}

static void
add_apex(struct zone_builder *b)
{
	static const char *const lines[] = { "@ 3600 SOA ns1 hostmaster 7 7200 3600 1209600 300", "@ 3600 NS ns1", "ns1 60 A 192.0.2.1" };
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct text_rr rr = text_rr(lines[i], example);
		assert_int_equal(zone_builder_add(b, rr.owner.oct, rr.type, rr.ttl, rr.rdata, rr.rdlen), OK);
	}
}

static void
a_zone_takes_what_it_says(void **state)
{
	(void)state;
	for (size_t style = 0; style < ARRAY_LEN(styles); style++) {
		struct findings f = { 0 };
		struct zone_builder *b = NULL;
		struct zone *z = NULL;
		size_t before = live;
		assert_int_equal(zone_builder_new(example, &f, &b), OK);
		add_apex(b);
		for (unsigned i = 0; i < RECORDS; i++) {
			assert_int_equal(add(b, style, i), OK);
			if (i % 1000 == 0) {
				size_t said = zone_builder_octets(b), took = live - before;
				assert_in_range(said, took * 9 / 10, took * 11 / 10 + 65536);
			}
		}
		assert_int_equal(zone_builder_finish(b, &z), OK);
		zone_builder_free(&b);
		findings_fini(&f);
		if (zone_octets(z) > (live - before) * 102 / 100 || zone_octets(z) < (live - before) * 98 / 100) {
			fail_msg("style %zu: %zu, not %zu", style, zone_octets(z), live - before);
		}
		zone_free(&z);
		assert_int_equal(live, before);
	}
}

static void
a_builder_keeps_within_what_it_has(void **state)
{
	(void)state;
	const size_t max = (size_t)8 << 20;
	for (size_t style = 0; style < ARRAY_LEN(styles); style++) {
		struct findings f = { 0 };
		struct zone_builder *b = NULL;
		struct zone *z = NULL;
		size_t before = live;
		err_t err = OK;
		peak = live;
		assert_int_equal(zone_builder_new(example, &f, &b), OK);
		zone_builder_limit(b, max);
		add_apex(b);
		for (unsigned i = 0; i < MANY && err == OK; i++) {
			err = add(b, style, i);
		}
		err = err == OK ? zone_builder_finish(b, &z) : err;
		assert_true(z == NULL && err == E_LIMIT && zone_builder_is_over_limit(b));
		if (peak - before > max + SLACK || peak - before < max / 3) {
			fail_msg("style %zu: %zu", style, peak - before);
		}
		zone_builder_free(&b);
		findings_fini(&f);
		assert_int_equal(live, before);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_takes_what_it_says),
		cmocka_unit_test(a_builder_keeps_within_what_it_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
