/* Words of the kernel's command line: which are ours, with quotes, and up to the limits. */
#include "image/cmdline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct cmdline read_whole;

static err_t
read_text(const char *text)
{
	struct diag diag;
	return cmdline_read(&read_whole, text, strlen(text), &diag);
}

/* The words, each in brackets. */
static const char *
words_of(const char *text)
{
	static char shown[4 * CMDLINE_MAX];
	int at = 0;
	assert_int_equal(read_text(text), OK);
	shown[0] = '\0';
	for (size_t i = 0; i < read_whole.words_n; i++) {
		at += snprintf(shown + at, sizeof shown - (size_t)at, "[%s]", read_whole.words[i]);
	}
	assert_null(read_whole.words[read_whole.words_n]);
	return shown;
}

static void
our_words(void **state)
{
	(void)state;
	assert_string_equal(words_of(""), "");
	assert_string_equal(words_of("\n"), "");
	assert_string_equal(words_of("console=ttyS0 quiet\n"), "");
	assert_string_equal(words_of("quiet --ipv4=10.0.42.2/24 panic=1 --axfr\n"), "[--ipv4=10.0.42.2/24][--axfr]");
	assert_string_equal(words_of("quiet -- --ipv4=1 word panic=1 --  x"), "[--ipv4=1][word][panic=1][--][x]");
	assert_string_equal(words_of("  --a\t\t--b  -c ---d\n"), "[--a][--b][---d]");
}

static void
quotes(void **state)
{
	(void)state;
	assert_string_equal(words_of("--server-version=\"a b\" --c"), "[--server-version=a b][--c]");
	assert_string_equal(words_of("\"--server-version=a  b\""), "[--server-version=a  b]");
	assert_string_equal(words_of("--a=\"\" \"\" x=\"--b\""), "[--a=]");
	assert_int_equal(read_text("--a=\"b c"), E_FORMAT);
	assert_int_equal(read_text("\""), E_FORMAT);
}

static void
limits(void **state)
{
	(void)state;
	char text[CMDLINE_MAX + 2];
	memset(text, 'a', sizeof text);
	memcpy(text, "--", 2);
	text[CMDLINE_MAX - 1] = '\n';
	text[CMDLINE_MAX] = '\0';
	assert_int_equal(read_text(text), OK); /* the line end is not counted */
	text[CMDLINE_MAX - 1] = 'a';
	assert_int_equal(read_text(text), E_LIMIT); /* the kernel may have dropped the rest */

	int at = 0;
	for (unsigned i = 0; i < CMDLINE_WORDS_MAX; i++) {
		at += snprintf(text + at, sizeof text - (size_t)at, "--%u ", i);
	}
	assert_int_equal(read_text(text), OK);
	assert_int_equal(read_whole.words_n, CMDLINE_WORDS_MAX);
	(void)snprintf(text + at, sizeof text - (size_t)at, "--x");
	assert_int_equal(read_text(text), E_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_words),
		cmocka_unit_test(quotes),
		cmocka_unit_test(limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
