/* Keys as BIND has them. */
#include "dns/bind_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static err_t
read_key(const char *text, char out[64])
{
	return bind_key_read(text, strlen(text), out, 64);
}

static void
statements(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "key \"k\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0\";\n};\n", "k:hmac-sha256:c2VjcmV0" },
		{ "KEY k{secret c2VjcmV0;ALGORITHM \"hmac-sha1\";}", "k:hmac-sha1:c2VjcmV0" },
		{ "# a\n// b\n/* c\n*/key k. /**/ { # d\nalgorithm x; secret y; } ; // e", "k.:x:y" },
		{ "\r\n key \"a b\" { algorithm x; secret \"y z;\"; };\r\n", "a b:x:y z;" },
	};
	char out[64];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(read_key(rows[i][0], out), OK);
		assert_string_equal(out, rows[i][1]);
	}
}

static void
what_is_none(void **state)
{
	(void)state;
	static const char *const others[] = { "", "k:SHA256:c2VjcmV0", "c2VjcmV0", "// key", "/* key", "keys k {", "\"key\" k {", "options { };" };
	static const char *const bad[] = {
		"key", "key k", "key {", "key k ;", "key k { algorithm x; };", "key k { secret y; };", "key k { algorithm x; secret y }",
		"key k { algorithm x; secret y; ", "key k { algorithm x; secret \"y; };", "key k { algorithm x; algorithm x; secret y; };",
		"key k { algorithm ; secret y; };", "key k { algorithm x; secret \"\"; };", "key k:l { algorithm x; secret y; };",
		"key k { algorithm x; secret y; other z; };", "key k { algorithm x; secret y; }; key l { algorithm x; secret y; };",
		"key k { algorithm x; secret y; } x", "key k { algorithm x; secret y; }; \"", "key \"\" { algorithm x; secret y; };",
	};
	char out[64];
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_int_equal(read_key(others[i], out), E_NOTFOUND);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(read_key(bad[i], out), E_FORMAT);
	}
	static const char zero[] = "key k { algorithm x; secret \"y\0z\"; };";
	assert_int_equal(bind_key_read(zero, sizeof zero - 1, out, sizeof out), E_FORMAT);
	static const char whole[] = "key k { algorithm x; secret y; };";
	assert_int_equal(bind_key_read(whole, sizeof whole - 1, out, 5), E_FULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(statements), cmocka_unit_test(what_is_none) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
