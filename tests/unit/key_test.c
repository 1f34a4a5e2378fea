#include "auth/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct name
parsed(const char *text)
{
	struct name n;
	assert_int_equal(name_parse(text, strlen(text), NULL, &n), OK);
	return n;
}

static void
names_speak(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum key_right right;
		const char *domain;
	} rows[] = {
		{ "personal._update.mirage.", RIGHT_UPDATE, "mirage." },
		{ "a.b.c._TRANSFER.x.example.", RIGHT_TRANSFER, "x.example." },
		{ "k._notify.", RIGHT_NOTIFY, "." },
		{ "me._Status.example.", RIGHT_STATUS, "example." },
		{ "_update.example.", RIGHT_UPDATE, "example." },
		{ "_update._notify.example.", RIGHT_NOTIFY, "example." },
		{ "x._updates.example.", RIGHT_NONE, NULL },
		{ "x.example.", RIGHT_NONE, NULL },
		{ ".", RIGHT_NONE, NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct key k = { 0 };
		struct name n = parsed(rows[i].name);
		assert_int_equal(key_name_read(n.oct, &k), rows[i].domain != NULL ? OK : E_FORMAT);
		assert_int_equal(k.right, rows[i].right);
		if (rows[i].domain != NULL) {
			assert_true(name_is_equal(k.domain.oct, parsed(rows[i].domain).oct));
		}
	}
}

static void
assert_address(const struct key_address *a, const char *want)
{
	char text[40] = "";
	if (a->family == 4) {
		snprintf(text, sizeof text, "%u.%u.%u.%u", a->octets[0], a->octets[1], a->octets[2], a->octets[3]);
	} else if (a->family == 6) {
		for (int i = 0; i < 16; i++) {
			snprintf(text + 2 * i, sizeof text - 2 * (size_t)i, "%02x", a->octets[i]);
		}
	}
	assert_string_equal(text, want);
}

static void
addresses_in_names(void **state)
{
	(void)state;
	static const struct {
		const char *name, *primary, *secondary;
	} rows[] = {
		{ "192.0.2.1.198.51.100.7._transfer.mirage.", "192.0.2.1", "198.51.100.7" },
		{ "secret.192.0.2.1._transfer.mirage.", "192.0.2.1", "" },
		{ "192.0.2.1._transfer.", "192.0.2.1", "" },
		{ "x.y.192.0.2.1.198.51.100.7._transfer.mirage.", "192.0.2.1", "198.51.100.7" },
		{ "2001-db8--53.2001-DB8--1._transfer.m.", "20010db8000000000000000000000053",
		  "20010db8000000000000000000000001" },
		{ "192.0.2.1.2001-db8--53._transfer.m.", "192.0.2.1", "20010db8000000000000000000000053" },
		{ "2001-db8--53.192.0.2.1._transfer.m.", "20010db8000000000000000000000053", "192.0.2.1" },
		{ "k.--1._transfer.m.", "00000000000000000000000000000001", "" },
		{ "192.0.2.256._transfer.m.", "", "" },
		{ "192.0.02.1._transfer.m.", "", "" },
		{ "0.2.1._transfer.m.", "", "" },
		{ "my-key._transfer.m.", "", "" },
		{ "--1\\0002._transfer.m.", "", "" },
		{ "192.0.2.1.198.51.100.7._update.m.", "", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct key k = { 0 };
		assert_int_equal(key_name_read(parsed(rows[i].name).oct, &k), OK);
		assert_address(&k.primary, rows[i].primary);
		assert_address(&k.secondary, rows[i].secondary);
	}
}

static void
rights_include_and_reach_down(void **state)
{
	(void)state;
	struct key k = { 0 };
	assert_int_equal(key_name_read(parsed("k._transfer.Example.").oct, &k), OK);
	struct name zone = parsed("a.example."), other = parsed("ample.");
	assert_true(key_has_right(&k, RIGHT_NOTIFY, zone.oct));
	assert_true(key_has_right(&k, RIGHT_TRANSFER, parsed("example.").oct));
	assert_false(key_has_right(&k, RIGHT_UPDATE, zone.oct));
	assert_false(key_has_right(&k, RIGHT_NONE, zone.oct));
	assert_false(key_has_right(&k, RIGHT_NOTIFY, other.oct));
	assert_false(key_has_right(&k, RIGHT_NOTIFY, name_root));
	assert_int_equal(key_name_read(parsed("k._notify.").oct, &k), OK);
	assert_true(key_has_right(&k, RIGHT_NOTIFY, other.oct));
	assert_true(key_has_right(&k, RIGHT_STATUS, other.oct));
	assert_false(key_has_right(&k, RIGHT_TRANSFER, other.oct));
	assert_true(key_has_right(&k, RIGHT_NOTIFY, name_root));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_speak),
		cmocka_unit_test(addresses_in_names),
		cmocka_unit_test(rights_include_and_reach_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
