/* What holds secrets: records, words, texts of files. */
#include "dns/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

#define SECRET "bWFya2VkIHNlY3JldCBvZiB0aGUgdGVzdCAwMTIzNDU="

static void
records(void **state)
{
	(void)state;
	static const uint16_t types[] = { 25, 48, 57, 60 };
	uint8_t rdata[] = { 0, 0, 3, 0, 's' };
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		for (unsigned alg = 0; alg < 256; alg++) {
			rdata[3] = (uint8_t)alg;
			assert_int_equal(secret_is_record(types[i], rdata, sizeof rdata), alg == 157 || (alg >= 161 && alg <= 165));
		}
	}
	rdata[3] = 163;
	assert_true(secret_is_record(48, rdata, 4));
	assert_false(secret_is_record(48, rdata, 3) || secret_is_record(46, rdata, sizeof rdata) || secret_is_record(16, rdata, sizeof rdata));
}

static bool
is_text(const char *text)
{
	return secret_is_text("example.org", text, strlen(text));
}

static void
texts_of_keys(void **state)
{
	(void)state;
	static const char *const yes[] = {
		"me. DNSKEY 0 3 163 " SECRET, "me. 3600 IN dnskey 0 3 SHA256 " SECRET, "me. DNSKEY " SECRET, "me. DNSKEY 0 3 " SECRET,
		"me. DNSKEY sha256 " SECRET, "me. KEY 512 3 157 " SECRET, "me.\tKEY\t512 3 165 " SECRET, "me. DNSKEY ( 257\n 3 163 " SECRET " )",
		"$GENERATE 1-2 k$ DNSKEY \"0 3 163 " SECRET "\"", "; keys\nme._update.example.org. 60 DNSKEY", "_transfer 3600 A 192.0.2.1",
		"x._notify", "\"me._update\"", "hmac-sha256:me:" SECRET, "me:SHA256:" SECRET, "me:sha512:" SECRET, "me:hmac-sha256:" SECRET,
		"key \"me\" {\n\talgorithm hmac-sha256;\n\tsecret \"" SECRET "\";\n};", "\tsecret \"" SECRET "\";", "  secret: " SECRET,
		"-----BEGIN PRIVATE KEY-----\n", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "Private-key-format: v1.3\nAlgorithm: 163\nKey: " SECRET,
		"ed25519:" SECRET, "163 (HMAC_SHA256)", "a TXT \";\" hmac-sha1",
	};
	static const char *const no[] = {
		"", "$TTL 1h\n@ SOA ns h 1 2 3 4 5\n NS ns\nns A 192.0.2.1\n", "@ DNSKEY 257 3 13 " SECRET, "@ DNSKEY 256 3 8 (\n " SECRET "\n )",
		"@ NSEC a.example. NS SOA DNSKEY NSEC3PARAM", "@ RRSIG DNSKEY 13 2 3600 20261201000000 20261101000000 1 @ " SECRET,
		"; me._update.example.org may write here\nwww A 192.0.2.1", "@ TXT \"v=DKIM1; h=sha256; p=" SECRET "\"", "www SSHFP 4 2 " SECRET,
		"secret A 192.0.2.1", "key A 192.0.2.1", "secret_update A 192.0.2.1", "hmac A 192.0.2.1", "x_update A 192.0.2.1", "_updates A 192.0.2.1", "YYY ",
		"Y ", " ", "_", "-", ":", "\"", "DNSKEY ", "DNSKEY (",
	};
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (!is_text(yes[i])) {
			fail_msg("not seen: %s", yes[i]);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		if (is_text(no[i])) {
			fail_msg("seen: %s", no[i]);
		}
	}
}

static void
names_of_files(void **state)
{
	(void)state;
	static const char *const yes[] = { "keys", "_key", "example.org.keys", "sub/example.org._KEYS", "tsig", "my.secret" };
	static const char *const no[] = { "example.org", "keys.example.org", "keys/example.org", "monkey", "" };
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		assert_true(secret_is_text(yes[i], "", 0));
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		assert_false(secret_is_text(no[i], "", 0));
	}
}

/* What they are made of is in names of keys, too. */
static void
files_of_secondaries(void **state)
{
	(void)state;
	static const char text[] = "_transfer PTR 192.0.2.1.192.0.2.2._transfer.\n_notify SRV 0 0 53 ns2\n", key[] = "me. DNSKEY 0 3 163 " SECRET;
	assert_false(secret_is_text("_secondaries", text, sizeof text - 1) || secret_is_text("a.example._secondaries", text, sizeof text - 1));
	assert_true(secret_is_text("a.example", text, sizeof text - 1) && secret_is_text("a_secondaries", text, sizeof text - 1));
	assert_true(secret_is_text("_secondaries", key, sizeof key - 1) && secret_is_text("_secondaries", "me._update A x", 14));
}

static bool
is_word(const char *word)
{
	return secret_is_word(word, strlen(word));
}

static void
words(void **state)
{
	(void)state;
	assert_true(is_word(SECRET) && is_word("c2VjcmV0c2VjcmV0c2VjcmV0") && is_word("abcdefghijklmnop=") && is_word("0123456789abcdef0123456789ABCDEF"));
	assert_true(is_word("pZ3sXkQbLmWvHtRy"));
	assert_true(is_word("a/b/c2VjcmV0c2VjcmV0c2VjcmV0/d") && is_word("c2Vj/cmV0c2Vj/cmV0c2VjcmV0MTI="));
	assert_false(is_word("/Users/janeDoe/MyProject2/zoneFiles") || is_word("abcdefghijklm===") || is_word("================"));
	assert_false(is_word("") || is_word("webserver-frontend-01") || is_word("WebServerFrontendOne") || is_word("www.example.org") ||
	             is_word("192.0.2.1") || is_word("2026112801") || is_word("c2VjcmV0") || is_word("NSEC3PARAM") || is_word("aGVsbG8gd29ybGQh;"));
}

static void
assert_masked(const char *text, const char *want)
{
	struct str out = { 0 };
	secret_mask(text, &out);
	assert_string_equal(str_text(&out), want);
	str_fini(&out);
}

static void
messages(void **state)
{
	(void)state;
	assert_masked("", "");
	assert_masked("example.org: 127.0.0.1 port 53 answers REFUSED (SHA256)", "example.org: 127.0.0.1 port 53 answers REFUSED (SHA256)");
	assert_masked("'me._update.example:SHA256:" SECRET "' is none", "'me._update.example:SHA256:(not shown)' is none");
	assert_masked("me:SHA265:short!", "me:SHA265:(not shown)");
	assert_masked("hmac-sha256:me:" SECRET, "hmac-sha256:(not shown)");
	assert_masked("--key=" SECRET " --seed=ed25519:abc", "--key=(not shown) --seed=ed25519:(not shown)");
	assert_masked("x:" SECRET ",y", "x:(not shown),y");
	assert_masked("--max-zone-size=0: should be a number", "--max-zone-size=0: should be a number");
	assert_masked("--rate-limit-ipv4-prefix=33: should be a number", "--rate-limit-ipv4-prefix=33: should be a number");
	assert_masked("--max-zone-siz3==", "(not shown)");
	assert_masked("--rate-limit-ipv4prefix=", "(not shown)");
	assert_masked("such as me._update.example:SHA256:SECRET, in", "such as me._update.example:SHA256:SECRET, in");
	assert_masked("me._update.example:SHA256:SECRETS", "me._update.example:SHA256:(not shown)");
	assert_true(secret_is_in("a b " SECRET, strlen("a b " SECRET)));
	assert_false(secret_is_in("a b c", 5) || secret_is_in("", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(texts_of_keys),
		cmocka_unit_test(names_of_files), cmocka_unit_test(files_of_secondaries),
		cmocka_unit_test(words),
		cmocka_unit_test(messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
