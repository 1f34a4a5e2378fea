#include "dns/lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "dns/wire.h"

/* The tokens of a text, one letter a kind: w(ord) q(uoted) b(lank) e(ol) f(=EOF), and !what. */
static void
tokens_print(const char *text, size_t len, struct str *out)
{
	/* A copy of just this size, so that ASan sees a read past the end. */
	char *exact = malloc(len != 0 ? len : 1);
	assert_non_null(exact);
	memcpy(exact, text, len);
	struct lex lx;
	struct lex_token t;
	lex_init(&lx, exact, len);
	do {
		lex_next(&lx, &t);
		switch (t.kind) {
		case LEX_WORD:
		case LEX_QUOTED:
			str_printf(out, "%c%u:%u[%.*s]%s ", t.kind == LEX_WORD ? 'w' : 'q', t.line,
			           lex_column(&lx, &t), (int)t.len, t.s, t.has_escape ? "\\" : "");
			break;
		case LEX_BLANK:
			str_cat(out, "b ");
			break;
		case LEX_EOL:
			str_printf(out, "e%u:%u ", t.line, lex_column(&lx, &t));
			break;
		case LEX_EOF:
			str_cat(out, "f");
			break;
		case LEX_ERROR:
			str_printf(out, "!%u:%u(%s) ", t.line, lex_column(&lx, &t), t.what);
			lex_skip_line(&lx);
			break;
		}
	} while (t.kind != LEX_EOF);
	free(exact);
}

static const struct {
	const char *text, *want;
} rows[] = {
	{ "", "f" },
	{ "\n\n", "f" },
	{ "  \t\n ; comment\n;x", "f" },
	{ "a b\n", "w1:1[a] w1:3[b] e1:4 f" },
	{ "a b", "w1:1[a] w1:3[b] e1:4 f" },
	{ "a b\r\nc\r\n", "w1:1[a] w1:3[b] e1:5 w2:1[c] e2:3 f" },
	{ "\r\n", "f" },
	{ "\r", "f" },
	{ "a b\rc\r", "w1:1[a] w1:3[b] e1:4 w2:1[c] e2:2 f" },
	{ "a\r\r\nb", "w1:1[a] e1:4 w2:1[b] e2:2 f" },
	{ "a\rb\nc", "w1:1[a] e1:2 w2:1[b] e2:2 w3:1[c] e3:2 f" },
	{ "a\r b\r", "w1:1[a] e1:2 b w2:2[b] e2:3 f" },
	{ " \r\t\ra", "w3:1[a] e3:2 f" },
	{ "a \r\n b", "w1:1[a] e1:4 b w2:2[b] e2:3 f" },
	{ "x ( a\r b )\rc", "w1:1[x] w1:5[a] w2:2[b] e2:5 w3:1[c] e3:2 f" },
	{ "a ; x\rb", "w1:1[a] e1:6 w2:1[b] e2:2 f" },
	{ "a ; x\rb\nc", "w1:1[a] e1:2 w2:1[c] e2:2 f" },
	{ "\"a\rb", "!1:1(quote is not closed on its line) w2:1[b] e2:2 f" },
	{ "a\\\rb", "w1:1[a\\]\\ e1:3 w2:1[b] e2:2 f" },
	{ " a\n", "b w1:2[a] e1:3 f" },
	{ "\xEF\xBB\xBF" "a", "w1:4[a] e1:5 f" },
	{ "\xEF\xBB\xBF a", "b w1:5[a] e1:6 f" },
	{ "a;b\nc ; d\n", "w1:1[a] e1:4 w2:1[c] e2:6 f" },
	{ "a ( b ; (\n\tc\n) d\ne", "w1:1[a] w1:5[b] w2:2[c] w3:3[d] e3:4 w4:1[e] e4:2 f" },
	{ "(\na )", "w2:1[a] e2:4 f" },
	{ " (\na )", "b w2:1[a] e2:4 f" },
	{ "()\n(\n)\na", "w4:1[a] e4:2 f" },
	{ "a(b)c((d)e)", "w1:1[a] w1:3[b] w1:5[c] w1:8[d] w1:10[e] e1:12 f" },
	{ "a\\;b \\( \\\"x \\\\;c", "w1:1[a\\;b]\\ w1:6[\\(]\\ w1:9[\\\"x]\\ w1:13[\\\\]\\ e1:17 f" },
	{ "a\\ b c", "w1:1[a\\ b]\\ w1:6[c] e1:7 f" },
	{ "a\\\nb", "w1:1[a\\]\\ e1:3 w2:1[b] e2:2 f" },
	{ "a\\", "w1:1[a\\]\\ e1:3 f" },
	{ "\"a b\" \"\" \"c;(\" \"d\\\"e\"", "q1:1[a b] q1:7[] q1:10[c;(] q1:16[d\\\"e]\\ e1:22 f" },
	{ "k=\"v w\"x", "w1:1[k=] q1:3[v w] w1:8[x] e1:9 f" },
	{ "\"a", "!1:1(quote is not closed on its line) f" },
	{ "x \"a\nb", "w1:1[x] !1:3(quote is not closed on its line) w2:1[b] e2:2 f" },
	{ "x \"a\\\nb", "w1:1[x] !1:3(quote is not closed on its line) w2:1[b] e2:2 f" },
	{ "x ( \"a\ny )\nb", "w1:1[x] !1:5(quote is not closed on its line) w3:1[b] e3:2 f" },
	{ "a )\nb", "w1:1[a] !1:3(parenthesis was not opened) w2:1[b] e2:2 f" },
	{ ")", "!1:1(parenthesis was not opened) f" },
	{ "x ( a\n  b\n;c\nd\n", "w1:1[x] w1:5[a] w2:3[b] w4:1[d] !1:3(parenthesis is not closed) w4:1[d] e4:2 f" },
	{ "(", "!1:1(parenthesis is not closed) f" },
	{ "a ( \"", "w1:1[a] !1:5(quote is not closed on its line) f" },
	{ "a (\nb \"", "w1:1[a] w2:1[b] !2:3(quote is not closed on its line) w2:1[b] "
	               "!2:3(quote is not closed on its line) f" },
};

static void
tokens_and_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = { 0 };
		tokens_print(rows[i].text, strlen(rows[i].text), &got);
		assert_string_equal(str_text(&got), rows[i].want);
		str_fini(&got);
	}
}

static void
octet_0_is_an_error(void **state)
{
	(void)state;
	struct str got = { 0 };
	static const char text[] = "a\0b c\nd \"\0\" e\nf \\\0 g\nh";
	tokens_print(text, sizeof text - 1, &got);
	assert_string_equal(str_text(&got),
	                    "w1:1[a] !1:2(octet 0 in the text) w2:1[d] "
	                    "!2:3(octet 0 in a quoted string) w3:1[f] w3:3[\\]\\ "
	                    "!3:4(octet 0 in the text) w4:1[h] e4:2 f");
	str_fini(&got);
}

static void
parentheses_have_a_limit(void **state)
{
	(void)state;
	char text[2 * LEX_DEPTH_MAX + 8];
	for (int over = 0; over < 2; over++) {
		size_t n = (size_t)(LEX_DEPTH_MAX + over), len = 0;
		text[len++] = 'a';
		for (size_t i = 0; i < n; i++) {
			text[len++] = '(';
		}
		for (size_t i = 0; i < n; i++) {
			text[len++] = ')';
		}
		struct str got = { 0 };
		tokens_print(text, len, &got);
		assert_int_equal(strstr(str_text(&got), "too deeply") != NULL, over);
		str_fini(&got);
	}
}

/* A text of nothing but unclosed parentheses must not cost the square of its size. */
static void
restarts_have_a_limit(void **state)
{
	(void)state;
	struct str text = { 0 }, got = { 0 };
	for (int i = 0; i < 100; i++) {
		str_cat(&text, "a (\n");
	}
	tokens_print(text.s, text.len, &got);
	size_t errors = 0;
	for (const char *p = str_text(&got); (p = strchr(p, '!')) != NULL; p++) {
		errors++;
	}
	assert_int_equal(errors, LEX_RESTARTS_MAX + 1);
	str_fini(&text);
	str_fini(&got);
}

static void
skipping_after_the_end_of_a_line_does_nothing(void **state)
{
	(void)state;
	struct lex lx;
	struct lex_token t;
	lex_init(&lx, "a\nb\n", 4);
	lex_next(&lx, &t);
	lex_next(&lx, &t);
	assert_int_equal(t.kind, LEX_EOL);
	lex_skip_line(&lx);
	lex_next(&lx, &t);
	assert_int_equal(t.kind, LEX_WORD);
	assert_memory_equal(t.s, "b", 1);
}

static void
records_begin_where_their_first_line_does(void **state)
{
	(void)state;
	static const char text[] = "\n; c\n\n  (\n\n a\n)\n b";
	struct lex lx;
	struct lex_token t;
	lex_init(&lx, text, strlen(text));
	lex_next(&lx, &t);
	assert_int_equal(t.kind, LEX_BLANK);
	lex_next(&lx, &t);
	assert_int_equal(t.line, 6);
	assert_int_equal(lx.record_line, 4);
	assert_ptr_equal(lx.record_at, text + 6);
}

static void
source_lines(void **state)
{
	(void)state;
	static const char text[] = "one \"x\"\r\n two";
	struct lex lx;
	struct lex_token t;
	const char *line;
	size_t len;
	lex_init(&lx, text, strlen(text));
	lex_next(&lx, &t);
	lex_next(&lx, &t);
	lex_source_line(&lx, &t, &line, &len);
	assert_int_equal(len, 7);
	assert_memory_equal(line, "one \"x\"", 7);
	lex_next(&lx, &t);
	assert_int_equal(t.kind, LEX_EOL);
	lex_source_line(&lx, &t, &line, &len);
	assert_memory_equal(line, "one \"x\"", 7);
	lex_next(&lx, &t);
	lex_next(&lx, &t);
	lex_source_line(&lx, &t, &line, &len);
	assert_int_equal(len, 4);
	assert_memory_equal(line, " two", 4);
}

static void
joined_tokens(void **state)
{
	(void)state;
	struct lex lx;
	struct lex_token a, b;
	lex_init(&lx, "k=\"v\" w", 7);
	lex_next(&lx, &a);
	lex_next(&lx, &b);
	assert_true(lex_is_joined(&a, &b));
	lex_next(&lx, &a);
	assert_false(lex_is_joined(&b, &a));
}

static struct lex_token
word(const char *s)
{
	return (struct lex_token){ .kind = LEX_WORD, .s = s, .len = strlen(s),
		                   .has_escape = strchr(s, '\\') != NULL };
}

static void
strings(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
		err_t err;
	} cases[] = {
		{ "", "", OK },
		{ "abc", "abc", OK },
		{ "a\\b\\.\\\"\\\\", "ab.\"\\", OK },
		{ "\\065\\255x", "A\xFFx", OK },
		{ "abcdefgh", "abcdefgh", OK },
		{ "abcdefghi", "", E_FULL },
		{ "\\abcdefghi", "", E_FULL },
		{ "a\\", "", E_FORMAT },
		{ "a\\25", "", E_FORMAT },
		{ "a\\2x5", "", E_FORMAT },
		{ "a\\256", "", E_RANGE },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t out[8];
		size_t n = 99;
		struct lex_token t = word(cases[i].text);
		assert_int_equal(lex_string(&t, out, sizeof out, &n), cases[i].err);
		if (cases[i].err == OK) {
			assert_int_equal(n, strlen(cases[i].want));
			assert_memory_equal(out, cases[i].want, n);
		} else {
			assert_int_equal(n, 99);
		}
	}
}

static void
numbers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t max, want;
		err_t err;
	} cases[] = {
		{ "0", 255, 0, OK }, { "255", 255, 255, OK }, { "256", 255, 0, E_RANGE },
		{ "0000000000000000000000255", 255, 255, OK }, { "5", 3, 0, E_RANGE },
		{ "18446744073709551615", UINT64_MAX, UINT64_MAX, OK },
		{ "18446744073709551616", UINT64_MAX, 0, E_RANGE },
		{ "99999999999999999999999", UINT64_MAX, 0, E_RANGE },
		{ "", 255, 0, E_FORMAT }, { "-1", 255, 0, E_FORMAT }, { "+1", 255, 0, E_FORMAT },
		{ "1x", 255, 0, E_FORMAT }, { "999x", 255, 0, E_FORMAT }, { "0x10", 255, 0, E_FORMAT },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t v = 77;
		struct lex_token t = word(cases[i].text);
		assert_int_equal(lex_number(&t, cases[i].max, &v), cases[i].err);
		assert_int_equal(v, cases[i].err == OK ? cases[i].want : 77);
	}
}

static void
periods(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint32_t want;
		err_t period, ttl;
	} cases[] = {
		{ "0", 0, OK, OK }, { "3600", 3600, OK, OK }, { "1h30m", 5400, OK, OK },
		{ "1W2D3H4M5S", 788645, OK, OK }, { "5s1w", 604805, OK, OK }, { "1h1h", 7200, OK, OK },
		{ "2147483647", 2147483647, OK, OK }, { "2147483648", 2147483648, OK, E_RANGE },
		{ "4294967295", 4294967295, OK, E_RANGE }, { "4294967296", 0, E_RANGE, E_RANGE },
		{ "7101w", 4294684800, OK, E_RANGE }, { "7102w", 0, E_RANGE, E_RANGE },
		{ "99999999999999999999999s", 0, E_RANGE, E_RANGE },
		{ "", 0, E_FORMAT, E_FORMAT }, { "h", 0, E_FORMAT, E_FORMAT }, { "1h30", 0, E_FORMAT, E_FORMAT },
		{ "1y", 0, E_FORMAT, E_FORMAT }, { "1hh", 0, E_FORMAT, E_FORMAT }, { "-1", 0, E_FORMAT, E_FORMAT },
		{ "A", 0, E_FORMAT, E_FORMAT }, { "99999999999y", 0, E_FORMAT, E_FORMAT },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t v = 77;
		struct lex_token t = word(cases[i].text);
		assert_int_equal(lex_period(&t, &v), cases[i].period);
		assert_int_equal(v, cases[i].period == OK ? cases[i].want : 77);
		v = 77;
		assert_int_equal(lex_ttl(&t, &v), cases[i].ttl);
		assert_int_equal(v, cases[i].ttl == OK ? cases[i].want : 77);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_and_places),
		cmocka_unit_test(octet_0_is_an_error),
		cmocka_unit_test(parentheses_have_a_limit),
		cmocka_unit_test(restarts_have_a_limit),
		cmocka_unit_test(skipping_after_the_end_of_a_line_does_nothing),
		cmocka_unit_test(records_begin_where_their_first_line_does),
		cmocka_unit_test(source_lines),
		cmocka_unit_test(joined_tokens),
		cmocka_unit_test(strings),
		cmocka_unit_test(numbers),
		cmocka_unit_test(periods),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
