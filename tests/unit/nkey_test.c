#include "zone/nkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "named.h"

static int
key_compare(const struct nkey *a, const struct nkey *b)
{
	size_t longer = a->len > b->len ? a->len : b->len;
	for (size_t i = 0; i < longer; i++) {
		int d = (int)nkey_at(a, i) - (int)nkey_at(b, i);
		if (d != 0) {
			return d;
		}
	}
	return 0;
}

static int
sign(int d)
{
	return (d > 0) - (d < 0);
}

static void
check_pair(const uint8_t *a, const uint8_t *b)
{
	struct nkey ka, kb;
	nkey_set(&ka, a);
	nkey_set(&kb, b);
	int want = sign(name_compare(a, b));
	assert_int_equal(sign(key_compare(&ka, &kb)), want);
	assert_int_equal(nkey_is_name(&ka, b, name_len(b)), want == 0);
	assert_int_equal(nkey_is_below(&ka, b, name_len(b)), want != 0 && name_is_within(a, b));
	struct nkey_parting p;
	assert_int_equal(nkey_has_parting(&ka, b, &p), want != 0);
	if (want != 0) {
		assert_int_equal(sign((int)p.ours - (int)p.theirs), want);
		assert_int_equal(nkey_at(&ka, p.at), p.ours);
		assert_int_equal(nkey_at(&kb, p.at), p.theirs);
		assert_memory_equal(ka.at, kb.at, p.at);
	}
}

/* Every octet against every other, alone and with something before and after it. */
static void
every_octet_keeps_its_order(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		for (int j = 0; j < 256; j++) {
			uint8_t a[] = { 1, (uint8_t)i, 0 }, b[] = { 1, (uint8_t)j, 0 };
			check_pair(a, b);
			uint8_t c[] = { 3, 'x', (uint8_t)i, (uint8_t)j, 2, 'y', (uint8_t)j, 0 };
			uint8_t d[] = { 3, 'x', (uint8_t)j, (uint8_t)i, 2, 'y', (uint8_t)j, 0 };
			check_pair(c, d);
			uint8_t e[] = { 2, 'x', (uint8_t)i, 0 };
			check_pair(c, e);
			check_pair(e, a);
		}
	}
}

static void
order_is_canonical(void **state)
{
	(void)state;
	static const char *const sorted[] = { /* RFC 4034 6.1 and its neighbours */
		".", "example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.",
		"z.example.", "\\001.z.example.", "*.z.example.", "\\200.z.example.", "zz.example.",
	};
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
		for (size_t j = 0; j < ARRAY_LEN(sorted); j++) {
			struct name a = named(sorted[i]), b = named(sorted[j]);
			check_pair(a.oct, b.oct);
		}
	}
}

static size_t
random_name(unsigned *seed, uint8_t *out)
{
	static const uint8_t octets[] = "aAbBzZ09-_*\0\1./:@[`{\377";
	size_t at = 0;
	for (int labels = rand_r(seed) % 5; labels > 0; labels--) {
		size_t n = 1 + (size_t)rand_r(seed) % 11;
		out[at++] = (uint8_t)n;
		for (; n != 0; n--) {
			out[at++] = octets[(size_t)rand_r(seed) % (sizeof octets - 1)];
		}
	}
	out[at] = 0;
	return at + 1;
}

static void
random_names_keep_their_order(void **state)
{
	(void)state;
	unsigned seed = 1;
	for (int i = 0; i < 20000; i++) {
		uint8_t a[64], b[128];
		random_name(&seed, a);
		size_t n = random_name(&seed, b);
		check_pair(a, b);
		memcpy(b + n - 1, a, name_len(a)); /* b below a */
		check_pair(a, b);
		check_pair(b, a);
		for (size_t at = 0; at < n; at++) { /* the same name in other case */
			b[at] = octet_lower(b[at]);
		}
		check_pair(a, b);
	}
}

/* The suffix has the right octets, but begins within a label. */
static void
label_boundaries_count(void **state)
{
	(void)state;
	static const uint8_t inside[] = { 4, 'x', 2, 'a', 'b', 0 }, within[] = { 2, 'a', 'b', 0 };
	check_pair(inside, within);
}

static void
longest_keys_fit(void **state)
{
	(void)state;
	uint8_t name[NAME_WIRE_MAX];
	memset(name, 0, sizeof name);
	for (size_t at = 0, i = 0; i < 4; i++) { /* three labels of 63 octets, one of 61: 255 in all */
		name[at] = i < 3 ? 63 : 61;
		at += 1u + name[at];
	}
	struct nkey key;
	nkey_set(&key, name);
	assert_int_equal(key.name_len, NAME_WIRE_MAX);
	assert_int_equal(key.len, NKEY_MAX);
	check_pair(name, name + 64);
	for (size_t at = 0; at < 254; at += 2) { /* 127 labels of one octet */
		name[at] = 1;
		name[at + 1] = 'a';
	}
	nkey_set(&key, name);
	assert_int_equal(key.labels, NAME_LABELS_MAX);
	assert_int_equal(key.len, 254);
	check_pair(name, name + 2);
	check_pair(name, name_root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_octet_keeps_its_order),
		cmocka_unit_test(order_is_canonical),
		cmocka_unit_test(random_names_keep_their_order),
		cmocka_unit_test(label_boundaries_count),
		cmocka_unit_test(longest_keys_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
