#include "acme/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/problem.h"

static void
members_are_looked_up(void **state)
{
	static const char text[] = "{\"a\":{\"b\":[{\"c\":\"d\"},\"e\",7]},\"t\":true,\"n\":404,\"big\":99999,\"u\":\"https://ca.example/\",\"v\":\"x\"}";
	struct json_t *json = NULL;
	(void)state;
	assert_int_equal(acme_json_read(text, sizeof text - 1, &json), OK);
	const struct json_t *array = acme_json_array(acme_json_object(json, "a"), "b");
	assert_int_equal(acme_json_n(array), 3);
	assert_string_equal(acme_json_text(acme_json_item(array, 0), "c"), "d");
	assert_string_equal(acme_json_item_text(array, 1), "e");
	assert_null(acme_json_item_text(array, 2));
	assert_null(acme_json_item_text(array, 3));
	assert_true(acme_json_is_true(json, "t"));
	assert_false(acme_json_is_true(json, "n"));
	assert_string_equal(acme_json_url(json, "u"), "https://ca.example/");
	assert_null(acme_json_url(json, "v"));
	assert_null(acme_json_text(acme_json_object(acme_json_object(json, "v"), "w"), "x"));
	assert_int_equal(acme_json_n(acme_json_array(json, "v")), 0);
	acme_json_free(&json);
	acme_json_free(&json);
}

static void
other_texts_are_refused(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "\"a\"", "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\xFF\"}", "{} x" };
	struct json_t *json = NULL;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(acme_json_read(bad[i], strlen(bad[i]), &json), E_FORMAT);
	}
	assert_null(json);
}

static void
json_is_bounded(void **state)
{
	struct json_t *json = NULL;
	struct str text = { 0 };
	(void)state;
	str_cat(&text, "{\"a\":");
	for (unsigned i = 0; i < ACME_JSON_DEPTH_MAX; i++) {
		str_char(&text, '[');
	}
	assert_int_equal(acme_json_read(text.s, text.len, &json), E_LIMIT);
	str_clear(&text);
	str_cat(&text, "{\"[[[[[[[[[[[[[[[[[[[[\\\"[\":[1");
	for (unsigned i = 0; i < ACME_JSON_ITEMS_MAX - 2; i++) {
		str_cat(&text, ",1");
	}
	str_cat(&text, "]}");
	assert_int_equal(acme_json_read(text.s, text.len, &json), OK);
	acme_json_free(&json);
	text.len -= 2;
	str_cat(&text, ",1]}");
	assert_int_equal(acme_json_read(text.s, text.len, &json), E_LIMIT);
	str_fini(&text);
}

static void
texts_are_quoted(void **state)
{
	struct str text = { 0 };
	struct json_t *json = NULL;
	(void)state;
	str_cat(&text, "{\"a\":");
	acme_json_quote(&text, "a\"b\\c\n\x7F\xC3\xA4");
	str_char(&text, '}');
	assert_string_equal(text.s, "{\"a\":\"a\\\"b\\\\c\\u000a\\u007f\xC3\xA4\"}");
	assert_int_equal(acme_json_read(text.s, text.len, &json), OK);
	assert_string_equal(acme_json_text(json, "a"), "a\"b\\c\n\x7F\xC3\xA4");
	acme_json_free(&json);
	str_fini(&text);
}

/* ---- problems ---- */

static struct acme_problem
problem(unsigned status, const char *text)
{
	struct acme_problem p;
	acme_problem_read(status, text, strlen(text), &p);
	return p;
}

/* The example of RFC 8555 6.7.1. */
static void
subproblems_are_shown(void **state)
{
	struct acme_problem p = problem(403,
	        "{\"type\":\"urn:ietf:params:acme:error:malformed\",\"detail\":\"Some of the identifiers requested were rejected\","
	        "\"subproblems\":[{\"type\":\"urn:ietf:params:acme:error:malformed\",\"detail\":\"Invalid underscore in DNS name "
	        "\\\"_example.org\\\"\",\"identifier\":{\"type\":\"dns\",\"value\":\"_example.org\"}},"
	        "{\"type\":\"urn:ietf:params:acme:error:rejectedIdentifier\",\"detail\":\"This CA will not issue for \\\"example.net\\\"\","
	        "\"identifier\":{\"type\":\"dns\",\"value\":\"example.net\"}}]}");
	(void)state;
	assert_int_equal(p.kind, ACME_PROBLEM_MALFORMED);
	assert_true(p.has_names);
	assert_string_equal(p.line, "malformed: Some of the identifiers requested were rejected (_example.org: malformed: Invalid underscore "
	                            "in DNS name \"_example.org\"; example.net: rejectedIdentifier: This CA will not issue for \"example.net\")");
}

static void
any_body_gives_a_line(void **state)
{
	(void)state;
	assert_string_equal(problem(502, "<html>").line, "HTTP status 502 without a reason");
	assert_string_equal(problem(500, "").line, "HTTP status 500 without a reason");
	assert_string_equal(problem(400, "{}").line, "HTTP status 400 without a reason");
	assert_string_equal(problem(400, "{\"type\":7,\"detail\":\"x\"}").line, "x");
	assert_string_equal(problem(400, "{\"type\":\"about:blank\",\"title\":\"t\"}").line, "about:blank: t");
	assert_string_equal(problem(400, "{\"type\":\"urn:ietf:params:acme:error:badNonce\"}").line, "badNonce");
	assert_int_equal(problem(400, "{\"type\":\"urn:ietf:params:acme:error:badNonce\"}").kind, ACME_PROBLEM_BAD_NONCE);
	assert_int_equal(problem(400, "{\"type\":\"badNonce\"}").kind, ACME_PROBLEM_OTHER);
	assert_string_equal(problem(400, "{\"type\":\"urn:ietf:params:acme:error:badSignatureAlgorithm\",\"algorithms\":[\"RS256\",1]}").line,
	                    "badSignatureAlgorithm; accepted: RS256, ?");
}

/* It goes to terminals: no control characters, no octets above. */
static void
lines_are_plain_and_bounded(void **state)
{
	struct str text = { 0 };
	(void)state;
	struct acme_problem p = problem(400, "{\"type\":\"x\\u001b[2J\",\"detail\":\"a\\nb\xC2\x9B\"}");
	assert_string_equal(p.line, "x?[2J: a?b??");
	str_cat(&text, "{\"type\":\"a\",\"subproblems\":[{\"detail\":\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\"}");
	for (unsigned i = 0; i < 2 * ACME_PROBLEM_PARTS_MAX; i++) {
		str_cat(&text, ",{\"detail\":\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\"}");
	}
	str_cat(&text, "]}");
	p = problem(400, text.s);
	assert_int_equal(strlen(p.line), ACME_PROBLEM_LINE_MAX);
	assert_string_equal(p.line + ACME_PROBLEM_LINE_MAX - 5, "zz...");
	str_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_looked_up),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(json_is_bounded),
		cmocka_unit_test(texts_are_quoted),
		cmocka_unit_test(subproblems_are_shown),
		cmocka_unit_test(any_body_gives_a_line),
		cmocka_unit_test(lines_are_plain_and_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
