#include "base/enc.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* RFC 4648 10 without the padding; RFC 7515 appendix C; the digits that differ from base64. */
static void
base64url_is_written_and_read(void **state)
{
	static const struct {
		const char *octets;
		size_t n;
		const char *text;
	} rows[] = {
		{ "", 0, "" }, { "f", 1, "Zg" }, { "fo", 2, "Zm8" }, { "foo", 3, "Zm9v" }, { "foobar", 6, "Zm9vYmFy" },
		{ "\x03\xEC\xFF\xE0\xC1", 5, "A-z_4ME" }, { "\xFB\xFF", 2, "-_8" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[16];
		uint8_t octets[16];
		size_t n = base64url_encode((const uint8_t *)rows[i].octets, rows[i].n, text);
		assert_int_equal(n, ENC_BASE64URL_LEN(rows[i].n));
		assert_int_equal(n, strlen(rows[i].text));
		assert_memory_equal(text, rows[i].text, n);
		assert_int_equal(base64url_decode(text, n, octets, sizeof octets, &n), OK);
		assert_int_equal(n, rows[i].n);
		assert_memory_equal(octets, rows[i].octets, n);
	}
}

static void
base64url_is_strict(void **state)
{
	static const char *const bad[] = { "Z", "Zh", "Zm9", "Zg==", "Zm9v\n", "+/8", "Zm9vY", "Zm 9" };
	uint8_t out[16];
	size_t n = 77;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(base64url_decode(bad[i], strlen(bad[i]), out, sizeof out, &n), E_FORMAT);
	}
	assert_int_equal(base64url_decode("Zm9v", 4, out, 2, &n), E_FULL);
	assert_int_equal(n, 77);
}

/* Each pair of characters, beside what the C library makes of it. */
static void
base16_octets_are_read(void **state)
{
	(void)state;
	for (int high = 0; high < 256; high++) {
		for (int low = 0; low < 256; low++) {
			const char digits[] = { (char)high, (char)low, '\0' };
			bool is_octet = isxdigit(high) && isxdigit(low);
			assert_int_equal(base16_octet(digits), is_octet ? (int)strtol(digits, NULL, 16) : -1);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64url_is_written_and_read),
		cmocka_unit_test(base64url_is_strict),
		cmocka_unit_test(base16_octets_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
