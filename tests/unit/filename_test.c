/* Names of files: which every system can have, which are one to some, and which are of keys or policy. */
#include "base/filename.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static const char *
trouble(const char *name)
{
	return filename_trouble(name, strlen(name));
}

static void
what_every_system_can_have(void **state)
{
	(void)state;
	static const char *const good[] = { "example.org", "@", "_keys", "0%2F26.2.0.192.in-addr.arpa", "console.example", "com10.example", "com.example",
		                            "a.con", "lpt", "nulled", ".gitignore", "git", "gitx~1", "b\303\274cher", "-", "a b" };
	static const char *const bad[] = { "", ".", "..", "a.", "a ", "a..", "con", "CON.example", "Aux.a.b", "nul", "prn.x", "com1", "COM9.org", "lpt0.x",
		                           "conin$", "CONOUT$.x", "con .x", "con:x", "a<b", "a>b", "a:b", "a\"b", "a|b", "a?b", "a*b", "a\\b", "a/b", "a\tb",
		                           "a\x7F", ".git", ".GIT", ".git ", ".git.", "git~1", "GIT~1", ".g\xE2\x80\x8Cit", ".git::$INDEX_ALLOCATION" };
	char text[FILENAME_PORTABLE_MAX + 2];
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_null(trouble(good[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_non_null(trouble(bad[i]));
	}
	memset(text, 'a', sizeof text);
	assert_null(filename_trouble(text, FILENAME_PORTABLE_MAX));
	assert_non_null(filename_trouble(text, FILENAME_PORTABLE_MAX + 1));
}

static int
compare(const char *a, const char *b)
{
	return filename_compare(a, strlen(a), b, strlen(b));
}

static void
names_that_are_one_to_some(void **state)
{
	(void)state;
	assert_int_equal(compare("EXAMPLE.org", "example.ORG"), 0);
	assert_int_equal(compare("example.org", "example.org. ."), 0);
	assert_int_equal(compare("", "."), 0);
	assert_true(compare("a", "b") < 0 && compare("b", "a") > 0 && compare("a", "ab") < 0 && compare("ab", "a") > 0);
	assert_true(compare("\xC3\xBC", "u") != 0 && compare("[", "{") != 0 && compare("@", "`") != 0);
}

static bool
is_private(const char *name)
{
	return filename_is_private(name, strlen(name));
}

static void
keys_and_policy(void **state)
{
	(void)state;
	static const char *const yes[] = { "_keys", "example.org._keys", "_secondaries", "example.org._secondaries", "_KEYS", "Example._Keys", "_keys.",
		                           "_keys. .", "%5Fkeys", "example%2E_keys", "%5f%6b%65%79%73", "_keys:", "_keys::$DATA", "_ke\xE2\x80\x8Cys",
		                           "x._secondaries ", "._keys", "@._keys" };
	static const char *const no[] = { "", "_key", "keys", "keys._key", "example_keys", "_keys.example.org", "_keys.bak", "%255Fkeys", "_keys%", "%5",
		                          "my_secondaries", "_keysx", "a:._keys" };
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		assert_true(is_private(yes[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		assert_false(is_private(no[i]));
	}
	assert_true(filename_is_secondaries("_secondaries", 12) && filename_is_secondaries("x._Secondaries", 14));
	assert_false(filename_is_secondaries("_keys", 5) || filename_is_secondaries("my_secondaries", 14));
	assert_true(filename_has_private_part("a/b/x._keys") && filename_has_private_part("_keys/x") && filename_has_private_part("a/_Secondaries/b"));
	assert_false(filename_has_private_part("a/b") || filename_has_private_part("") || filename_has_private_part("keys/a/"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_every_system_can_have),
		cmocka_unit_test(names_that_are_one_to_some),
		cmocka_unit_test(keys_and_policy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
