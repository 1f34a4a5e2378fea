#include "auth/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/secondaries.h"
#include "dns/rrtype.h"
#include "named.h"

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
		struct name n = named(rows[i].name);
		assert_int_equal(key_name_read(n.oct, &k), rows[i].domain != NULL ? OK : E_FORMAT);
		assert_int_equal(k.right, rows[i].right);
		if (rows[i].domain != NULL) {
			assert_true(name_is_equal(k.domain.oct, named(rows[i].domain).oct));
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
		assert_int_equal(key_name_read(named(rows[i].name).oct, &k), OK);
		assert_address(&k.primary, rows[i].primary);
		assert_address(&k.secondary, rows[i].secondary);
	}
}

/* A grant is the right to transfer the zones at and below its domain; it is for that domain. */
static void
a_grant_is_for_one_domain(void **state)
{
	(void)state;
	const struct name domain = named("example."), below = named("a.example.");
	const struct secondary_grant grant = { .domain = domain.oct };
	const struct key k = { .granted = &grant, .granted_n = 1 };
	assert_true(key_is_for(&k, RIGHT_TRANSFER, domain.oct));
	assert_false(key_is_for(&k, RIGHT_TRANSFER, below.oct));
	assert_false(key_is_for(&k, RIGHT_NOTIFY, domain.oct));
	assert_false(key_is_for(&k, RIGHT_NONE, domain.oct));
	assert_true(key_has_right(&k, RIGHT_TRANSFER, below.oct));
	assert_false(key_has_right(&k, RIGHT_NOTIFY, domain.oct));
}

static void
rights_include_and_reach_down(void **state)
{
	(void)state;
	struct key k = { 0 };
	assert_int_equal(key_name_read(named("k._transfer.Example.").oct, &k), OK);
	struct name zone = named("a.example."), other = named("ample.");
	assert_true(key_has_right(&k, RIGHT_NOTIFY, zone.oct));
	assert_true(key_has_right(&k, RIGHT_TRANSFER, named("example.").oct));
	assert_false(key_has_right(&k, RIGHT_UPDATE, zone.oct));
	assert_false(key_has_right(&k, RIGHT_NONE, zone.oct));
	assert_false(key_has_right(&k, RIGHT_NOTIFY, other.oct));
	assert_false(key_has_right(&k, RIGHT_NOTIFY, name_root));
	assert_true(key_is_for(&k, RIGHT_TRANSFER, named("exAmple.").oct));
	assert_false(key_is_for(&k, RIGHT_UPDATE, named("example.").oct));
	assert_false(key_is_for(&k, RIGHT_TRANSFER, zone.oct));
	assert_false(key_is_for(&k, RIGHT_TRANSFER, name_root));
	assert_int_equal(key_name_read(named("k._notify.").oct, &k), OK);
	assert_true(key_has_right(&k, RIGHT_NOTIFY, other.oct));
	assert_true(key_has_right(&k, RIGHT_STATUS, other.oct));
	assert_false(key_has_right(&k, RIGHT_TRANSFER, other.oct));
	assert_true(key_has_right(&k, RIGHT_NOTIFY, name_root));
}

static void
types_in_names(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		err_t err;
		unsigned types_n;
		uint16_t types[3];
	} rows[] = {
		{ "k._a._aaaa._update.m.", OK, 2, { TYPE_AAAA, TYPE_A } },
		{ "_a._TXT._Type65300._update.", OK, 3, { 65300, TYPE_TXT, TYPE_A } },
		{ "_a.k._update.m.", OK, 0, { 0 } },
		{ "_a.k._txt._update.m.", OK, 1, { TYPE_TXT } },
		{ "k._nsap-ptr._update.m.", OK, 1, { 23 } },
		{ "k._update.m.", OK, 0, { 0 } },
		{ "k._aaa._update.m.", E_UNSUPPORTED, 0, { 0 } },
		{ "k._._update.m.", E_UNSUPPORTED, 0, { 0 } },
		{ "k._any._update.m.", E_UNSUPPORTED, 0, { 0 } },
		{ "k._axfr._update.m.", E_UNSUPPORTED, 0, { 0 } },
		{ "k._type0._update.m.", E_UNSUPPORTED, 0, { 0 } },
		{ "k._notify._update.m.", E_UNSUPPORTED, 0, { 0 } },
		{ "k._x._a._update.m.", E_UNSUPPORTED, 0, { 0 } },
		{ "k._a._transfer.m.", E_UNSUPPORTED, 0, { 0 } },
		{ "k._a._notify.m.", E_UNSUPPORTED, 0, { 0 } },
		{ "k._a._status.m.", E_UNSUPPORTED, 0, { 0 } },
		{ "k._x._transfer.m.", OK, 0, { 0 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct key k = { 0 };
		assert_int_equal(key_name_read(named(rows[i].name).oct, &k), rows[i].err);
		assert_int_equal(k.right == RIGHT_NONE, rows[i].err != OK);
		if (rows[i].err == OK) {
			assert_int_equal(k.types_n, rows[i].types_n);
			assert_memory_equal(k.types, rows[i].types, rows[i].types_n * sizeof k.types[0]);
		}
	}
}

static void
what_is_wrong_with_a_name(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
	} rows[] = {
		{ "k._update.m.", "" },
		{ "k._a._update.m.", "" },
		{ "k.192.0.2.1._transfer.m.", "" },
		{ "k._Aaa._update.m.", "has _Aaa before _update, which is no type of records" },
		{ "k._x._a._update.m.", "has _x before _update, which is no type of records" },
		{ "k._a._transfer.m.", "has _a in it, and only updates are limited to types" },
		{ "k._updates.m.", "has no operation in it: it should be _update" },
		{ "k.Update.m.", "has no operation in it: it should be _update" },
		{ "k._tranfser.m.", "has no operation in it: it should be _transfer" },
		{ "k._notfy.m.", "has no operation in it: it should be _notify" },
		{ "k._stat.m.", "has no operation in it: it should be _status" },
		{ "k.m.", "has no operation in it" },
		{ ".", "has no operation in it" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[KEY_TROUBLE_MAX];
		key_name_trouble(named(rows[i].name).oct, text);
		assert_string_equal(text, rows[i].text);
	}
}

/* As many as a name can have. */
static void
types_without_end(void **state)
{
	(void)state;
	char text[NAME_TEXT_MAX] = "";
	struct key k = { 0 };
	for (unsigned i = 0; i < KEY_TYPES_MAX; i++) {
		strcat(text, "_a.");
	}
	strcat(text, "_update.");
	assert_int_equal(key_name_read(named(text).oct, &k), OK);
	assert_int_equal(k.types_n, KEY_TYPES_MAX);
	assert_true(key_may_change(&k, name_root, name_root, TYPE_A));
}

/* Each right in a zone as a whole: u pdate, t ransfer, n otify, s tatus; and c: it may change something there. */
static void
every_right_in_a_zone(void **state)
{
	(void)state;
	static const struct {
		const char *name, *zone, *may;
	} rows[] = {
		{ "k._update.", "m.", "utnsc" },        { "k._update.m.", "m.", "utnsc" },       { "k._update.m.", "a.m.", "utnsc" },
		{ "k._update.a.m.", "m.", "c" },        { "k._update.a.m.", ".", "c" },          { "k._update.a.m.", "b.m.", "" },
		{ "k._update.m.", "n.", "" },           { "k._a._update.m.", "m.", "uc" },       { "k._a._update.a.m.", "m.", "c" },
		{ "k._a._update.a.m.", "b.m.", "" },    { "k._transfer.m.", "m.", "tns" },       { "k._transfer.a.m.", "m.", "" },
		{ "k._transfer.", "m.", "tns" },        { "k._notify.m.", "m.", "ns" },          { "k._notify.a.m.", "m.", "" },
		{ "k._status.m.", "m.", "s" },          { "k._status.m.", "a.m.", "s" },         { "k._status.a.m.", "m.", "" },
		{ "k._aaa._update.m.", "m.", "" },      { "k._a._transfer.m.", "m.", "" },       { "k.m.", "m.", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct key k = { 0 };
		struct name zone = named(rows[i].zone);
		(void)!key_name_read(named(rows[i].name).oct, &k);
		char may[6] = "";
		strcat(may, key_has_right(&k, RIGHT_UPDATE, zone.oct) ? "u" : "");
		strcat(may, key_has_right(&k, RIGHT_TRANSFER, zone.oct) ? "t" : "");
		strcat(may, key_has_right(&k, RIGHT_NOTIFY, zone.oct) ? "n" : "");
		strcat(may, key_has_right(&k, RIGHT_STATUS, zone.oct) ? "s" : "");
		strcat(may, key_may_update(&k, zone.oct) ? "c" : "");
		if (strcmp(may, rows[i].may) != 0) {
			fail_msg("%s in %s: %s, not %s", rows[i].name, rows[i].zone, may, rows[i].may);
		}
	}
}

static void
addresses_are_in_order(void **state)
{
	(void)state;
	static const struct key_address none = { 0 };
	static const struct key_address a = { .family = 4, .octets = { 10, 0, 0, 1, 9 } }, b = { .family = 4, .octets = { 10, 0, 0, 2 } };
	static const struct key_address same = { .family = 4, .octets = { 10, 0, 0, 1 } }, six = { .family = 6, .octets = { 0, [15] = 1 } };
	static const struct key_address more = { .family = 6, .octets = { 0, [15] = 2 } };
	assert_int_equal(key_address_len(&a), 4);
	assert_int_equal(key_address_len(&six), 16);
	assert_true(key_address_compare(&a, &b) < 0 && key_address_compare(&b, &a) > 0);
	assert_true(key_address_compare(&six, &more) < 0 && key_address_compare(&more, &six) > 0);
	assert_true(key_address_compare(&b, &six) < 0 && key_address_compare(&none, &a) < 0);
	assert_true(key_address_is_equal(&a, &same) && key_address_is_equal(&none, &none));
	assert_false(key_address_is_equal(&six, &more) || key_address_is_equal(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_speak),
		cmocka_unit_test(addresses_in_names),
		cmocka_unit_test(rights_include_and_reach_down),
		cmocka_unit_test(a_grant_is_for_one_domain),
		cmocka_unit_test(types_in_names),
		cmocka_unit_test(what_is_wrong_with_a_name),
		cmocka_unit_test(types_without_end),
		cmocka_unit_test(every_right_in_a_zone),
		cmocka_unit_test(addresses_are_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
