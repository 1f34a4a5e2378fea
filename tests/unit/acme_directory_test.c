#include "acme/directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define URLS "\"newNonce\":\"https://ca.example/n\",\"newAccount\":\"https://ca.example/a\",\"newOrder\":\"https://ca.example/o\""

static err_t
read(const char *text, struct acme_directory *out)
{
	return acme_directory_read(text, strlen(text), out);
}

static void
directories_are_read(void **state)
{
	struct acme_directory d;
	(void)state;
	assert_int_equal(read("{" URLS ",\"renewalInfo\":\"https://ca.example/r\",\"meta\":{\"termsOfService\":\"https://ca.example/t\","
	                      "\"externalAccountRequired\":true,\"caaIdentities\":[\"ca.example\"],\"issuerDomainNames\":[\"a.example\","
	                      "\"b.example\"],\"accountHashPrefix\":\"https://ca.example/h/\",\"profiles\":{\"classic\":\"x\",\"short\":1}}}",
	                      &d), OK);
	assert_string_equal(d.new_nonce, "https://ca.example/n");
	assert_string_equal(d.new_account, "https://ca.example/a");
	assert_string_equal(d.new_order, "https://ca.example/o");
	assert_string_equal(d.renewal_info, "https://ca.example/r");
	assert_string_equal(d.terms, "https://ca.example/t");
	assert_string_equal(d.hash_prefix, "https://ca.example/h/");
	assert_true(d.wants_binding);
	assert_int_equal(d.issuers_n, 2);
	assert_string_equal(d.issuers[1], "b.example");
	assert_int_equal(d.caa_n, 1);
	assert_true(acme_directory_has_profile(&d, "short"));
	assert_false(acme_directory_has_profile(&d, "long"));
	acme_directory_fini(&d);
}

static void
what_is_missing_or_of_another_type_is_left_out(void **state)
{
	struct acme_directory d;
	(void)state;
	assert_int_equal(read("{" URLS ",\"renewalInfo\":7,\"meta\":{\"termsOfService\":\"http://ca.example/t\",\"externalAccountRequired\":"
	                      "\"yes\",\"issuerDomainNames\":[\"A.example\"],\"caaIdentities\":{},\"profiles\":[\"x\"]}}", &d), OK);
	assert_null(d.renewal_info);
	assert_null(d.terms);
	assert_false(d.wants_binding);
	assert_int_equal(d.issuers_n, 0);
	assert_int_equal(d.caa_n, 0);
	assert_int_equal(d.profiles_n, 0);
	acme_directory_fini(&d);
	assert_int_equal(read("{" URLS ",\"meta\":7}", &d), OK);
	acme_directory_fini(&d);
}

static void
without_its_urls_it_is_none(void **state)
{
	struct acme_directory d;
	(void)state;
	assert_int_equal(read("{}", &d), E_FORMAT);
	assert_int_equal(read("<html>", &d), E_FORMAT);
	assert_int_equal(read("{\"newNonce\":\"https://ca.example/n\",\"newAccount\":\"https://ca.example/a\",\"newOrder\":\"/o\"}", &d),
	                 E_FORMAT);
}

static void
directories_are_bounded(void **state)
{
	struct acme_directory d;
	struct str text = { 0 };
	(void)state;
	str_cat(&text, "{" URLS ",\"meta\":{\"issuerDomainNames\":[\"a\"");
	for (unsigned i = 0; i < ACME_ISSUERS_MAX; i++) {
		str_cat(&text, ",\"a\"");
	}
	str_cat(&text, "],\"profiles\":{\"p\":1");
	for (unsigned i = 0; i < 2 * ACME_PROFILES_MAX; i++) {
		str_printf(&text, ",\"p%u\":1", i);
	}
	str_cat(&text, "}}}");
	assert_int_equal(read(text.s, &d), OK);
	assert_int_equal(d.issuers_n, 0);
	assert_int_equal(d.profiles_n, ACME_PROFILES_MAX);
	acme_directory_fini(&d);
	str_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(directories_are_read),
		cmocka_unit_test(what_is_missing_or_of_another_type_is_left_out),
		cmocka_unit_test(without_its_urls_it_is_none),
		cmocka_unit_test(directories_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
