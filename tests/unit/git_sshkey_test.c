#include "git/sshkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/enc.h"

/* Made by ssh-keygen: the line for authorized_keys, and `ssh-keygen -lf` of it. */
static const char PUBLIC[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4 origin";
static const char DIGITS[] = "AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

static size_t
key_bytes(uint8_t out[64])
{
	size_t n = 0;
	assert_int_equal(base64_decode(DIGITS, strlen(DIGITS), out, 64, &n), OK);
	return n;
}

static void
our_key_as_text(void **state)
{
	(void)state;
	uint8_t seed[GIT_SEED_LEN];
	for (size_t i = 0; i < sizeof seed; i++) {
		seed[i] = (uint8_t)i;
	}
	struct str text = { 0 };
	assert_int_equal(ssh_public_key_text(seed, &text), OK);
	assert_string_equal(str_text(&text), PUBLIC);
	str_clear(&text);
	assert_int_equal(ssh_private_key_text(seed, &text), OK);
	assert_int_equal(strncmp(text.s, "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA", 56), 0);
	assert_non_null(strstr(text.s, "\n-----END OPENSSH PRIVATE KEY-----\n"));
	str_fini(&text);
}

static void
their_key_as_text(void **state)
{
	(void)state;
	uint8_t key[64];
	size_t n = key_bytes(key);
	char text[GIT_FINGERPRINT_TEXT], type[32];
	assert_int_equal(ssh_fingerprint(key, n, text), OK);
	assert_int_equal(strlen(text), 50);
	assert_int_equal(strncmp(text, "SHA256:", 7), 0);
	ssh_key_type(key, n, type);
	assert_string_equal(type, "ssh-ed25519");
	ssh_key_type(key, 3, type);
	assert_string_equal(type, "unknown");
	ssh_key_type((const uint8_t *)"\0\0\0\x04" "a\nb\x1b", 8, type);
	assert_string_equal(type, "a?b?");
	ssh_key_type((const uint8_t *)"\xff\xff\xff\xff" "abc", 7, type);
	assert_string_equal(type, "unknown");
}

/* (Hashed names are tested with files of ssh-keygen -H in tests/system.) */
static const struct {
	const char *hosts; /* what stands before the key */
	const char *host;
	uint16_t port;
	size_t n;
	bool is_revoked;
} lines[] = {
	{ "h.example", "h.example", 22, 1, false },
	{ "H.Example", "h.eXample", 22, 1, false },
	{ "h.example", "h.example", 2222, 0, false },
	{ "[h.example]:2222", "h.example", 2222, 1, false },
	{ "a,b,h.example", "h.example", 22, 1, false },
	{ "*.example", "h.example", 22, 1, false },
	{ "*", "h.example", 22, 1, false },
	{ "h?example", "h.example", 22, 1, false },
	{ "*e*m*e", "h.example", 22, 1, false },
	{ "*x", "h.example", 22, 0, false },
	{ "h.exampl", "h.example", 22, 0, false },
	{ "h.example.org", "h.example", 22, 0, false },
	{ "*,!h.example", "h.example", 22, 0, false },
	{ "!h.example,*", "h.example", 22, 0, false },
	{ "@revoked *", "h.example", 22, 1, true },
	{ "@cert-authority *", "h.example", 22, 0, false },
	{ "# h.example", "h.example", 22, 0, false },
	{ "|1|AAAA|AAAA", "h.example", 22, 0, false },
	{ "|1|", "h.example", 22, 0, false },
	{ "|1|||", "h.example", 22, 0, false },
	{ ",,,", "h.example", 22, 0, false },
};

static void
known_hosts(void **state)
{
	(void)state;
	uint8_t key[64];
	size_t n = key_bytes(key);
	struct ssh_known *known = malloc(sizeof *known);
	assert_non_null(known);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		char text[300];
		int len = snprintf(text, sizeof text, "\n \tnonsense\r\n%s ssh-ed25519 %s comment\r\nx", lines[i].hosts, DIGITS);
		ssh_known_find(text, (size_t)len, lines[i].host, lines[i].port, known);
		if (known->n != lines[i].n) {
			fail_msg("%s: %zu", lines[i].hosts, known->n);
		}
		enum ssh_verdict want = lines[i].n == 0 ? SSH_KEY_UNKNOWN : lines[i].is_revoked ? SSH_KEY_REVOKED : SSH_KEY_GOOD;
		assert_int_equal(ssh_known_check(known, key, n), want);
		assert_int_equal(ssh_known_check(known, key, n - 1), SSH_KEY_UNKNOWN);
	}
	free(known);
}

static void
a_known_hosts_file_beyond_the_limits(void **state)
{
	(void)state;
	struct ssh_known *known = malloc(sizeof *known);
	struct str text = { 0 };
	assert_non_null(known);
	for (int i = 0; i < SSH_KNOWN_MAX + 5; i++) {
		str_printf(&text, "h ssh-ed25519 %s\n", DIGITS);
	}
	ssh_known_find(text.s, text.len, "h", 22, known);
	assert_int_equal(known->n, SSH_KNOWN_MAX);
	str_clear(&text);
	str_cat(&text, "h ssh-rsa ");
	for (int i = 0; i < 1000; i++) {
		str_cat(&text, "AAAA");
	}
	ssh_known_find(text.s, text.len, "h", 22, known);
	assert_int_equal(known->n, 0);
	str_fini(&text);
	free(known);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_key_as_text),
		cmocka_unit_test(their_key_as_text),
		cmocka_unit_test(known_hosts),
		cmocka_unit_test(a_known_hosts_file_beyond_the_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
