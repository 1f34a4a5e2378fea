/* What keys and secondaries take in memory, counted; and what somebody else can make of very many of them, in comparisons of names.  Linked
 * with --wrap, see meson.build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/status_p.h"
#include "dns/rrtype.h"
#include "count.h"
#include "live.h"
#include "named.h"

static struct cost {
	size_t comparisons; /* of names */
	size_t of_octets;   /* for one: of two addresses */
} cost;

COUNTED(comparisons, int, name_compare, (const uint8_t *a, const uint8_t *b), (a, b))
COUNTED(of_octets, int, memcmp, (const void *a, const void *b, size_t n), (a, b, n))
COUNTED(of_octets, int, bcmp, (const void *a, const void *b, size_t n), (a, b, n)) /* which clang makes of memcmp() */

static void
put(struct secondaries *s, const char *owner, uint16_t type, const uint8_t *rdata, size_t len)
{
	const struct name name = named(owner);
	const struct master_rr rr = { .owner = name.oct, .type = type, .rdata = rdata, .rdlen = (uint16_t)len };
	struct findings f = { 0 };
	assert_int_equal(secondaries_add(s, &rr, name_root, &f), OK);
	assert_int_equal(f.errors, 0);
	findings_fini(&f);
}

/* One prefix, 10.X.Y.Z/LEN, for all zones. */
static void
put_prefix(struct secondaries *s, unsigned i, unsigned len)
{
	const uint8_t rdata[] = { 0, 1, (uint8_t)len, 4, 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
	put(s, "_transfer.", TYPE_APL, rdata, sizeof rdata);
}

static struct name
key_name(unsigned i)
{
	char text[32];
	snprintf(text, sizeof text, "key%u.", i);
	return named(text);
}

static void
put_key(struct keystore *ks, unsigned i)
{
	static const uint8_t rdata[4 + 32] = { 0, 0, 3, 163, 1 };
	const struct name name = key_name(i);
	struct findings f = { 0 };
	assert_int_equal(keystore_add(ks, name.oct, name_root, rdata, sizeof rdata, &f), OK);
	findings_fini(&f);
}

/* The key is granted its own domain in `other`. */
static void
put_grant(struct secondaries *s, unsigned key, unsigned domain)
{
	char owner[64];
	const struct name name = key_name(key);
	snprintf(owner, sizeof owner, "_transfer.z%u.other.", domain);
	put(s, owner, TYPE_PTR, name.oct, name.len);
}

/* ---- memory ---- */

static void
assert_is_near(size_t said, size_t took)
{
	assert_in_range(said, took - took / 20, took + took / 20);
}

static void
they_take_what_they_say(void **state)
{
	(void)state;
	enum { N = 5000 };
	size_t before = live;
	struct keystore *ks = keystore_new(NULL);
	for (unsigned i = 0; i < N; i++) {
		put_key(ks, i);
		if (i % 500 == 0) {
			assert_is_near(keystore_octets(ks), live - before);
		}
	}
	assert_is_near(keystore_octets(ks), live - before);
	size_t with_keys = live;
	struct secondaries *s = secondaries_new(), *copy = secondaries_new();
	for (unsigned i = 0; i < N; i++) {
		char host[32];
		snprintf(host, sizeof host, "h%u.", i);
		put_prefix(s, i, 32);
		put_grant(s, i % 10, i);
		put(s, host, TYPE_A, (const uint8_t[]){ 192, 0, 2, 1 }, 4);
		put(s, host, TYPE_PTR, (const uint8_t *)"\1k", 3);
		const struct name domain = named(host);
		assert_int_equal(secondaries_shut(s, domain.oct), OK);
	}
	secondaries_seal(s);
	assert_is_near(secondaries_octets(s), live - with_keys - secondaries_octets(copy));
	size_t with_one = live;
	assert_int_equal(secondaries_merge(copy, s), OK);
	secondaries_seal(copy);
	assert_is_near(secondaries_octets(copy), live - with_one);
	keystore_free(&ks);
	secondaries_free(&s);
	secondaries_free(&copy);
	assert_int_equal(live, before);
	assert_int_equal(keystore_octets(NULL) + secondaries_octets(NULL), 0);
}

/* ---- comparisons ---- */

enum { BITS_MAX = 18 }; /* of the number of records */

/* A stranger's address, whether it is listed or not, among as many as there may be. */
static void
an_address_costs_a_search(void **state)
{
	(void)state;
	static const struct key_address from[] = {
		{ .family = 4, .octets = { 11 } }, { .family = 4, .octets = { 10, 0, 0, 1 } }, { .family = 4, .octets = { 10, 3, 0, 1 } },
		{ .family = 6, .octets = { 0x20 } },
	};
	struct secondaries *s = secondaries_new();
	const struct name zone = named("catalog.example."); /* with the root three domains */
	for (unsigned i = 0; i < SECONDARIES_MAX; i++) {
		put_prefix(s, i, 32);
	}
	secondaries_seal(s);
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		cost = (struct cost){ 0 };
		assert_int_equal(secondaries_may_transfer(s, zone.oct, &from[i]), from[i].family == 4 && from[i].octets[0] == 10);
		assert_in_range(cost.comparisons, 1, 3 * (BITS_MAX + 2));
	}
	secondaries_free(&s);
}

/* One prefix as often as it may be there, with others around it and within it: an address next to them is not held against each. */
static void
prefixes_around_each_other_cost_their_lengths(void **state)
{
	(void)state;
	enum { LENGTHS = 33 }; /* 0 to 32 */
	const struct key_address from = { .family = 4, .octets = { 11 } };
	struct secondaries *s = secondaries_new();
	const struct name zone = named("catalog.example.");
	for (unsigned i = 0; i < LENGTHS; i++) {
		put_prefix(s, 0, i);
	}
	for (unsigned i = LENGTHS; i < SECONDARIES_MAX; i++) {
		put_prefix(s, 0, 8);
	}
	secondaries_seal(s);
	cost = (struct cost){ 0 };
	assert_true(secondaries_may_transfer(s, zone.oct, &from));
	assert_in_range(cost.of_octets, LENGTHS - 8, BITS_MAX + LENGTHS);
	secondaries_free(&s);
}

static size_t
cost_of_page(const struct view *v, const uint8_t *domain)
{
	static uint8_t wire[65000];
	struct status_question q = { .what = STATUS_KEYS, .domain = domain };
	struct reply r = { .wire = wire, .len = DNS_HEADER_LEN + 5, .cap = sizeof wire };
	cost = (struct cost){ 0 };
	assert_int_equal(status_answer(v, &(struct server_conf){ 0 }, &q, false, &r), OK);
	return cost.comparisons;
}

/* One key with as many grants as there may be, or many keys with some: to those who may see what they are granted, and to others. */
static void
a_page_of_keys_costs_some_searches(void **state)
{
	(void)state;
	static const unsigned keys[] = { 1, 20000 };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct secondaries *s = secondaries_new();
		struct keystore *ks = keystore_new(NULL);
		for (unsigned k = 0; k < SECONDARIES_MAX; k++) {
			put_grant(s, k % keys[i], k);
		}
		for (unsigned k = 0; k < keys[i]; k++) {
			put_key(ks, k);
		}
		secondaries_seal(s);
		keystore_grant(ks, s);
		keystore_seal(ks);
		const struct view v = { .keys = ks, .secondaries = s };
		const size_t most = (STATUS_ITEMS_MAX + 1) * 4 * (BITS_MAX + 2);
		const struct name other = named("other."), example = named("example.");
		assert_in_range(cost_of_page(&v, name_root), 1, most);
		assert_in_range(cost_of_page(&v, other.oct), 1, most);
		assert_in_range(cost_of_page(&v, example.oct), 1, most);
		keystore_free(&ks);
		secondaries_free(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_take_what_they_say),
		cmocka_unit_test(an_address_costs_a_search),
		cmocka_unit_test(prefixes_around_each_other_cost_their_lengths),
		cmocka_unit_test(a_page_of_keys_costs_some_searches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
