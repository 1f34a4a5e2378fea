#include "dns/ede.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

/* The text for a message whose OPT has these options. */
static const char *
printed(uint8_t version, const void *options, size_t len)
{
	static char out[EDE_TEXT_MAX];
	const struct edns e = { .present = true, .version = version, .options = options, .options_len = (uint16_t)len };
	memset(out, 'x', sizeof out);
	assert_ptr_equal(ede_print(&e, out), out);
	return out;
}

#define PRINTED(literal) printed(0, literal, sizeof(literal) - 1)

static void
codes_have_names(void **state)
{
	(void)state;
	assert_string_equal(PRINTED("\0\x0F\0\2\0\0"), "Other Error");
	assert_string_equal(PRINTED("\0\x0F\0\2\0\x12"), "Prohibited");
	assert_string_equal(PRINTED("\0\x0F\0\2\0\x17"), "Network Error");
	assert_string_equal(PRINTED("\0\x0F\0\2\0\x18"), "Invalid Data");
	assert_string_equal(PRINTED("\0\x0F\0\2\0\x1E"), "Invalid Query Type");
	assert_string_equal(PRINTED("\0\x0F\0\2\xC0\0"), "EDE49152"); /* private use */
}

static void
text_is_shown_as_text(void **state)
{
	(void)state;
	assert_string_equal(PRINTED("\0\x0F\0\x0B\0\x17" "no answer"), "Network Error (no answer)");
	assert_string_equal(PRINTED("\0\x0F\0\5\0\0" "ok\0"), "Other Error (ok)"); /* with its NUL */
	assert_string_equal(PRINTED("\0\x0F\0\3\0\0\0"), "Other Error");
	assert_string_equal(PRINTED("\0\x0F\0\x09\0\0" "\x1B[1m\\\n\xC3"), "Other Error (\\027[1m\\092\\010\\195)");
}

static void
there_may_be_several_or_none(void **state)
{
	(void)state;
	assert_string_equal(PRINTED(""), "");
	assert_string_equal(PRINTED("\0\3\0\0"), "");       /* NSID */
	assert_string_equal(PRINTED("\0\x0F\0\1\0"), "");   /* half a code */
	assert_string_equal(PRINTED("\0\x0F\0\3\0\x0E" "a" "\0\x0A\0\1z" "\0\x0F\0\2\0\x12"), "Not Ready (a); Prohibited");
	assert_string_equal(printed(1, "\0\x0F\0\2\0\0", 6), "");
	const struct edns none = { 0 };
	char out[EDE_TEXT_MAX];
	assert_string_equal(ede_print(&none, out), "");
}

static void
long_texts_are_cut(void **state)
{
	(void)state;
	uint8_t options[6 + 600] = "\0\x0F\2\x5A\0\0";
	for (size_t len = 1; len <= 600; len++) {
		memset(options + 6, 'a', len);
		options[2] = (uint8_t)((len + 2) >> 8);
		options[3] = (uint8_t)(len + 2);
		const char *text = printed(0, options, 6 + len);
		size_t whole = strlen("Other Error ()") + len, room = EDE_TEXT_MAX - 1 - strlen("...");
		assert_int_equal(strlen(text), whole <= room ? whole : EDE_TEXT_MAX - 1);
		assert_string_equal(text + strlen(text) - 1, whole <= room ? ")" : ".");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_have_names),
		cmocka_unit_test(text_is_shown_as_text),
		cmocka_unit_test(there_may_be_several_or_none),
		cmocka_unit_test(long_texts_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
