#include "acme/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct acme_answer a;

static int
tear_down(void **state)
{
	(void)state;
	acme_answer_fini(&a);
	return 0;
}

static void
header(const char *line)
{
	assert_int_equal(acme_answer_header(&a, line, strlen(line)), OK);
}

static void
headers_are_read(void **state)
{
	(void)state;
	acme_answer_begin(&a, 201);
	header("HTTP/1.1 201 Created\r\n");
	header("replay-NONCE:  oFvnlFP1wIhRlYS2jTaXbA \r\n");
	header("Location: https://ca.example/acme/order/1\r\n");
	header("Retry-After: 120\r\n");
	header("\r\n");
	assert_int_equal(a.status, 201);
	assert_string_equal(a.nonce, "oFvnlFP1wIhRlYS2jTaXbA");
	assert_string_equal(a.location, "https://ca.example/acme/order/1");
	assert_int_equal(acme_answer_retry_s(&a, 5), 120);
	acme_answer_begin(&a, 200); /* the one before was an interim answer */
	assert_string_equal(a.nonce, "");
	assert_string_equal(a.location, "");
}

static void
bad_nonces_are_ignored(void **state)
{
	char line[ACME_NONCE_MAX + 40];
	(void)state;
	acme_answer_begin(&a, 200);
	header("Replay-Nonce: a+b");
	assert_string_equal(a.nonce, "");
	header("Replay-Nonce: a\"b");
	assert_string_equal(a.nonce, "");
	memset(line, 'x', sizeof line);
	memcpy(line, "Replay-Nonce: ", 14);
	assert_int_equal(acme_answer_header(&a, line, 14 + ACME_NONCE_MAX), OK);
	assert_int_equal(strlen(a.nonce), ACME_NONCE_MAX);
	assert_int_equal(acme_answer_header(&a, line, 14 + ACME_NONCE_MAX + 1), OK);
	assert_string_equal(a.nonce, "");
}

static void
retry_after_is_seconds_or_a_date(void **state)
{
	(void)state;
	acme_answer_begin(&a, 429);
	assert_int_equal(acme_answer_retry_s(&a, 0), 0);
	header("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(acme_answer_retry_s(&a, 784111777 - 30), 30);
	assert_int_equal(acme_answer_retry_s(&a, 784111777 + 30), 0);
	acme_answer_begin(&a, 429);
	header("Retry-After: soon");
	header("Retry-After: -1");
	header("Retry-After: 99999999999999999999");
	assert_int_equal(a.retry.kind, ACME_RETRY_NONE);
}

static void
links_are_read(void **state)
{
	(void)state;
	acme_answer_begin(&a, 200);
	header("Link: <https://ca.example/directory>;rel=\"index\"");
	header("Link: <https://ca.example/cert/1/1>;rel=\"alternate\", </cert/1/2>; title=\"a, \\\"b\\\"; c\" ; REL=alternate");
	header("Link: <https://ca.example/terms>; rel=\"x Terms-Of-Service\"");
	header("Link: <https://ca.example/cert/1/3>;rel=\"up\";rel=\"alternate\"");
	header("Link: https://ca.example/cert/1/4;rel=\"alternate\"");
	header("Link: <https://ca.example/cert/1/5;rel=\"alternate\"");
	header("Link: <>;rel=alternate,");
	assert_int_equal(a.links.alternates_n, 2);
	assert_string_equal(a.links.alternates[0], "https://ca.example/cert/1/1");
	assert_string_equal(a.links.alternates[1], "/cert/1/2");
	assert_string_equal(a.links.terms, "https://ca.example/terms");
}

static void
answers_are_bounded(void **state)
{
	char *big = calloc(1, ACME_BODY_MAX + 1);
	(void)state;
	acme_answer_begin(&a, 200);
	assert_int_equal(acme_answer_body(&a, big, ACME_BODY_MAX - 1), OK);
	assert_int_equal(acme_answer_body(&a, big, 2), E_LIMIT);
	assert_int_equal(acme_answer_body(&a, big, 1), OK);
	assert_int_equal(a.body.len, ACME_BODY_MAX);
	memset(big, 'x', ACME_HEADER_LINE_MAX + 1);
	assert_int_equal(acme_answer_header(&a, big, ACME_HEADER_LINE_MAX + 1), E_LIMIT);
	free(big);
	for (unsigned i = 0; i < ACME_HEADERS_MAX; i++) {
		header("Link: <https://ca.example/>;rel=alternate");
	}
	assert_int_equal(acme_answer_header(&a, "A: b", 4), E_LIMIT);
	assert_int_equal(a.links.alternates_n, ACME_LINKS_MAX);
}

static void
urls_are_checked(void **state)
{
	static const char *const good[] = { "https://ca.example", "https://ca.example:14000/dir?x=1&y=%20", "HTTPS://[2001:db8::1]/" };
	static const char *const bad[] = { "", "http://ca.example/", "https://", "https:///dir", "https://:1/", "https://u@ca.example/",
		                           "https://ca.example/ x", "https://ca.example/\"", "https://ca.example/#a", "https://ca.example/\n",
		                           "https://ca.example/\xC3\xA4", "ftp://ca.example/", "https://ca.example\\x" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		/* [ and ] belong to addresses */
		assert_true(acme_url_is_good(good[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(acme_url_is_good(bad[i]));
	}
}

static void
urls_have_ports(void **state)
{
	static const struct { const char *url; uint16_t port; } rows[] = {
		{ "https://ca.example", 443 }, { "https://ca.example:14000/dir:1", 14000 }, { "https://ca.example:14000?x=:2", 14000 },
		{ "https://[2001:db8::1]/", 443 }, { "https://[2001:db8::1]:8443/", 8443 }, { "https://ca1/", 443 }, { "https://ca.example:/", 443 },
		{ "https://ca.example:0/", 443 }, { "https://ca.example:65535/", 65535 }, { "https://ca.example:65536/", 443 },
		{ "https://ca.example:4294967297/", 443 }, { "https://443", 443 }, { "https://ca.example:x1/", 443 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(acme_url_port(rows[i].url), rows[i].port);
	}
}

static void
urls_are_resolved(void **state)
{
	char out[ACME_URL_MAX + 1] = "kept", longest[ACME_URL_MAX + 1];
	(void)state;
	assert_int_equal(acme_url_resolve("https://ca.example:1/dir", "//evil.example/x", out), E_FORMAT);
	assert_int_equal(acme_url_resolve("https://ca.example:1/dir", "x", out), E_FORMAT);
	assert_int_equal(acme_url_resolve("https://ca.example:1/dir", "", out), E_FORMAT);
	memset(longest, 'x', ACME_URL_MAX);
	longest[0] = '/';
	longest[ACME_URL_MAX] = '\0';
	assert_int_equal(acme_url_resolve("https://ca.example:1/dir", longest, out), E_FORMAT);
	assert_string_equal(out, "kept");
	assert_int_equal(acme_url_resolve("https://ca.example:1/dir", "/order/1", out), OK);
	assert_string_equal(out, "https://ca.example:1/order/1");
	assert_int_equal(acme_url_resolve("https://ca.example:1?x", "/order/1", out), OK);
	assert_string_equal(out, "https://ca.example:1/order/1");
	assert_int_equal(acme_url_resolve("https://ca.example/", "https://other.example/1", out), OK);
	assert_string_equal(out, "https://other.example/1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(headers_are_read, tear_down),
		cmocka_unit_test_teardown(bad_nonces_are_ignored, tear_down),
		cmocka_unit_test_teardown(retry_after_is_seconds_or_a_date, tear_down),
		cmocka_unit_test_teardown(links_are_read, tear_down),
		cmocka_unit_test_teardown(answers_are_bounded, tear_down),
		cmocka_unit_test(urls_are_checked),
		cmocka_unit_test(urls_have_ports),
		cmocka_unit_test(urls_are_resolved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
