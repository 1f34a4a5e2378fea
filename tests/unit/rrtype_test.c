#include "dns/rrtype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dns/wire.h"

static err_t
type_of(const char *text, uint16_t *out)
{
	return rrtype_parse(text, strlen(text), out);
}

static void
every_row_is_found(void **state)
{
	(void)state;
	size_t rows = 0;
	const struct rrtype *row;
	for (; (row = rrtype_row(rows)) != NULL; rows++) {
		char text[RRTYPE_TEXT_MAX], lower[RRTYPE_TEXT_MAX] = { 0 };
		uint16_t code = 0;
		assert_ptr_equal(rrtype_by_code(row->code), row);
		assert_int_equal(rrtype_flags(row->code), row->flags);
		assert_string_equal(rrtype_print(row->code, text), row->mnemonic);
		if (type_of(row->mnemonic, &code) != OK) {
			fail_msg("%s is not in by_mnemonic, or not at its place", row->mnemonic);
		}
		assert_int_equal(code, row->code);
		for (size_t i = 0; text[i] != '\0'; i++) {
			lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
		}
		assert_int_equal(type_of(lower, &code), OK);
		assert_int_equal(code, row->code);
		assert_non_null(row->rfc);
	}
	assert_true(rows > 90);
	assert_null(rrtype_row(rows + 1));
}

static void
unknown_types_have_numbers(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "TYPE", "TYPE65536", "TYPE1x", "TYPE-1", "TYPE000001", "AB", "NSEC4", "NS1", "IN", "TYP",
		"3600", "VERYLONGMNEMONIC",
	};
	char text[RRTYPE_TEXT_MAX];
	uint16_t code;
	assert_int_equal(type_of("TYPE65280", &code), OK);
	assert_int_equal(code, 65280);
	assert_int_equal(type_of("type1", &code), OK);
	assert_int_equal(code, TYPE_A);
	assert_string_equal(rrtype_print(65280, text), "TYPE65280");
	assert_null(rrtype_by_code(0));
	assert_null(rrtype_by_code(54));
	assert_null(rrtype_by_code(65280));
	assert_int_equal(rrtype_flags(65280), 0);
	assert_int_equal(rrtype_flags(200), RRTYPE_META);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(type_of(bad[i], &code), E_UNSUPPORTED);
	}
}

/* RFC 3597 4 fixes for ever which types' names are compressed. */
static void
compression_is_for_the_first_types_only(void **state)
{
	(void)state;
	static const uint16_t compressed[] = { 2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15 };
	size_t found = 0;
	const struct rrtype *row;
	for (size_t i = 0; (row = rrtype_row(i)) != NULL; i++) {
		if ((row->flags & RRTYPE_COMPRESS) != 0) {
			assert_true(found < ARRAY_LEN(compressed));
			assert_int_equal(row->code, compressed[found++]);
		}
	}
	assert_int_equal(found, ARRAY_LEN(compressed));
}

static void
classes_are_read_and_printed(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint16_t code;
	} good[] = {
		{ "IN", 1 }, { "in", 1 }, { "CH", 3 }, { "HS", 4 }, { "CLASS1", 1 }, { "class32", 32 },
		{ "ANY", 255 }, { "NONE", 254 }, { "CHAOS", 3 },
	};
	uint16_t code;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(rrclass_parse(good[i].text, strlen(good[i].text), &code), OK);
		assert_int_equal(code, good[i].code);
	}
	assert_int_equal(rrclass_parse("CLASS", 5, &code), E_UNSUPPORTED);
	assert_int_equal(rrclass_parse("A", 1, &code), E_UNSUPPORTED);
	assert_int_equal(rrclass_parse("", 0, &code), E_UNSUPPORTED);
}

static void
rcodes_are_printed(void **state)
{
	(void)state;
	char text[RRTYPE_TEXT_MAX];
	assert_string_equal(rcode_print(RCODE_NOERROR, false, text), "NOERROR");
	assert_string_equal(rcode_print(RCODE_NOTZONE, false, text), "NOTZONE");
	assert_string_equal(rcode_print(16, false, text), "BADVERS");
	assert_string_equal(rcode_print(16, true, text), "BADSIG");
	assert_string_equal(rcode_print(RCODE_BADTRUNC, true, text), "BADTRUNC");
	assert_string_equal(rcode_print(12, false, text), "RCODE12");
	assert_string_equal(rcode_print(4095, false, text), "RCODE4095");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found),
		cmocka_unit_test(unknown_types_have_numbers),
		cmocka_unit_test(compression_is_for_the_first_types_only),
		cmocka_unit_test(classes_are_read_and_printed),
		cmocka_unit_test(rcodes_are_printed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
