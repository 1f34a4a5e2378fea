#include "acme/persist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const issuers[] = { "authority.example", "ca.example.net" };

/* The test vector of draft-ietf-acme-dns-persist-02 10.2. */
static const struct acme_persist hashed = {
	.issuers = issuers, .issuers_n = 2, .account = "https://ca.example/acct/123",
	.thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", .hash_prefix = "https://ca.example/account-hash/",
};

#define HASHED_URI "https://ca.example/account-hash/sha-256/5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw"
#define ANY_URI "https://ca.example/account-hash/sha-256/NpDnSwUthQK8zCgFdefYxAdAVPnygMLbs9US6oO-5ug"

static bool
is_proof(const char *text)
{
	return acme_persist_is_proof(&hashed, "example.com", false, 1000, text);
}

static void
records_are_those_of_the_draft(void **state)
{
	struct str text = { 0 };
	(void)state;
	assert_int_equal(acme_persist_print(&hashed, "example.com", false, &text), OK);
	assert_string_equal(text.s, "authority.example; accounturi=" HASHED_URI);
	assert_true(is_proof(text.s));
	str_clear(&text);
	assert_int_equal(acme_persist_print(&hashed, "example.com", true, &text), OK);
	assert_string_equal(text.s, "authority.example; accounturi=" HASHED_URI "; policy=wildcard");
	assert_true(acme_persist_is_proof(&hashed, "example.com", true, 0, text.s));
	assert_false(acme_persist_is_proof(&hashed, "www.example.com", true, 0, text.s));
	str_fini(&text);
}

static void
a_record_may_be_for_any_domain(void **state)
{
	(void)state;
	assert_true(is_proof("authority.example; accounturi=" ANY_URI));
	assert_true(acme_persist_is_proof(&hashed, "other.example", false, 0, "authority.example; accounturi=" ANY_URI));
}

/* Version 01 of the draft. */
static void
without_a_prefix_it_is_the_account(void **state)
{
	struct acme_persist p = hashed;
	struct str text = { 0 };
	(void)state;
	p.hash_prefix = NULL;
	assert_int_equal(acme_persist_print(&p, "example.com", false, &text), OK);
	assert_string_equal(text.s, "authority.example; accounturi=https://ca.example/acct/123");
	assert_true(acme_persist_is_proof(&p, "example.com", false, 0, text.s));
	assert_false(acme_persist_is_proof(&hashed, "example.com", false, 0, text.s));
	str_fini(&text);
}

static void
the_form_may_vary(void **state)
{
	static const char *const good[] = {
		"ca.example.net;accounturi=" HASHED_URI,
		" Authority.Example ; ACCOUNTURI = " HASHED_URI " ; unknown=1;x=",
		"authority.example; policy=none; accounturi=" HASHED_URI,
		"authority.example; accounturi=" HASHED_URI "; persistUntil=1000",
		"authority.example; accounturi=" HASHED_URI ";",
	};
	static const char *const bad[] = {
		"", ";", "authority.example", "authority.example;", "other.example; accounturi=" HASHED_URI,
		"authority.example; accounturi=" HASHED_URI "x",
		"authority.example; accounturi=" HASHED_URI "; accounturi=" HASHED_URI,
		"authority.example; accounturi=" HASHED_URI "; persistUntil=999",
		"authority.example; accounturi=" HASHED_URI "; persistUntil=",
		"authority.example; accounturi=" HASHED_URI "; persistUntil=1e9",
		"authority.example; accounturi=" HASHED_URI "; persistUntil=99999999999999999999",
		"authority.example; accounturi=" HASHED_URI "; policy=a; policy=b",
		"authority.example; accounturi=" HASHED_URI "; nonsense",
		"authority.example; accounturi=" HASHED_URI "; =x",
		"authority.example;; accounturi=" HASHED_URI,
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(is_proof(good[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(is_proof(bad[i]));
	}
	assert_false(acme_persist_is_proof(&hashed, "example.com", true, 0, good[0]));
	assert_true(acme_persist_is_proof(&hashed, "example.com", true, 0, "authority.example; accounturi=" HASHED_URI "; Policy=WILDCARD"));
}

static void
without_account_or_issuer_there_is_none(void **state)
{
	struct acme_persist p = hashed;
	struct str text = { 0 };
	(void)state;
	p.account = NULL;
	assert_int_equal(acme_persist_print(&p, "example.com", false, &text), E_NOTFOUND);
	assert_false(acme_persist_is_proof(&p, "example.com", false, 0, "authority.example; accounturi=" HASHED_URI));
	p = hashed;
	p.issuers_n = 0;
	assert_int_equal(acme_persist_print(&p, "example.com", false, &text), E_NOTFOUND);
	str_fini(&text);
}

/* A string of a TXT record has 255 octets at most. */
static void
a_long_record_is_many_strings(void **state)
{
	char account[301] = "https://ca.example/", want[512];
	struct acme_persist p = hashed;
	struct str line = { 0 };
	(void)state;
	memset(account + strlen(account), 'a', 300 - strlen(account));
	p.account = account;
	p.hash_prefix = NULL;
	assert_int_equal(acme_persist_print_line(&p, "example.com", true, &line), OK);
	int head = (int)(255 - strlen("authority.example; accounturi="));
	(void)snprintf(want, sizeof want, "_validation-persist.example.com. 3600 TXT \"authority.example; accounturi=%.*s\" \"%s; policy=wildcard\"\n",
	               head, account, account + head);
	assert_string_equal(line.s, want);
	str_fini(&line);
}

static void
issuers_are_plain_domain_names(void **state)
{
	(void)state;
	assert_true(acme_persist_is_issuer("letsencrypt.org"));
	assert_true(acme_persist_is_issuer("xn--nicode-example-9jb.com"));
	assert_false(acme_persist_is_issuer(""));
	assert_false(acme_persist_is_issuer("CA.example"));
	assert_false(acme_persist_is_issuer("ca.example."));
	assert_false(acme_persist_is_issuer("ca..example"));
	assert_false(acme_persist_is_issuer(".ca.example"));
	assert_false(acme_persist_is_issuer("ca.example; policy=wildcard"));
	assert_false(acme_persist_is_issuer("\"ca.example"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_those_of_the_draft),
		cmocka_unit_test(a_record_may_be_for_any_domain),
		cmocka_unit_test(without_a_prefix_it_is_the_account),
		cmocka_unit_test(the_form_may_vary),
		cmocka_unit_test(without_account_or_issuer_there_is_none),
		cmocka_unit_test(a_long_record_is_many_strings),
		cmocka_unit_test(issuers_are_plain_domain_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
