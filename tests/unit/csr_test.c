#include "crypto/csr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "certificates.h"

static const char *const two[] = { "www.example", "*.example" };

static void
a_request_has_key_and_names(void **state)
{
	(void)state;
	for (enum pkey_kind kind = PKEY_RSA; kind < PKEY_KIND_COUNT; kind++) {
		[[gnu::cleanup(pkey_free)]] struct pkey *k = key_of(kind, "csr");
		[[gnu::cleanup(csr_free)]] struct csr *c = request_for(k, two, 2);
		assert_true(pkey_is_equal(c->key, k));
		assert_int_equal(c->names.n, 2);
		assert_string_equal(c->names.name[0], two[0]);
		assert_string_equal(c->names.name[1], two[1]);
	}
}

static void
a_hundred_of_the_longest_names_fit(void **state)
{
	(void)state;
	static uint8_t der[CSR_DER_MAX];
	struct buf b = buf_over(der, sizeof der);
	struct host_names *names = calloc(1, sizeof *names);
	[[gnu::cleanup(pkey_free)]] struct pkey *k = key_of(PKEY_P256, "csr");
	[[gnu::cleanup(csr_free)]] struct csr *c = NULL;
	for (unsigned i = 0; i < HOST_NAMES_MAX; i++) {
		char text[HOST_NAME_LEN + 1];
		memset(text, 'a', sizeof text - 1);
		text[63] = text[127] = text[191] = '.';
		(void)snprintf(text + 192, sizeof text - 192, "%061u", i);
		assert_int_equal(host_names_add(names, text, HOST_NAME_LEN), OK);
	}
	assert_int_equal(csr_make(k, names, &b), OK);
	assert_int_equal(csr_read(der, b.len, &c), OK);
	assert_int_equal(c->names.n, HOST_NAMES_MAX);
	assert_int_equal(host_names_add(names, "one.more", 8), E_LIMIT);
	assert_int_equal(host_names_add(names, c->names.name[7], HOST_NAME_LEN), OK); /* is there */
	free(names);
}

static void
each_octet_counts(void **state)
{
	(void)state;
	[[gnu::cleanup(pkey_free)]] struct pkey *k = key_of(PKEY_ED25519, "csr");
	[[gnu::cleanup(csr_free)]] struct csr *c = request_for(k, two, 2);
	uint8_t *copy = malloc(c->der_len);
	for (size_t i = 0; i < c->der_len; i++) {
		struct csr *wrong = NULL;
		memcpy(copy, c->der, c->der_len);
		copy[i] ^= 1;
		assert_int_not_equal(csr_read(copy, c->der_len, &wrong), OK);
		assert_int_not_equal(csr_read(c->der, i, &wrong), OK);
		assert_null(wrong);
	}
	free(copy);
}

/* "openssl req -new" with a common name, and with an address among the names. */
static struct csr *
with_subject(const struct pkey *k, const char *cn, const char *alt_names, err_t want)
{
	X509_REQ *r = X509_REQ_new();
	EVP_PKEY *evp = evp_of(k);
	unsigned char *der = NULL;
	struct csr *c = NULL;
	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(r), "CN", MBSTRING_ASC, (const uint8_t *)cn, -1, -1, 0);
	X509_REQ_set_pubkey(r, evp);
	if (alt_names != NULL) {
		STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
		sk_X509_EXTENSION_push(list, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt_names));
		X509_REQ_add_extensions(r, list);
		sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	}
	assert_true(X509_REQ_sign(r, evp, EVP_sha256()) > 0);
	int n = i2d_X509_REQ(r, &der);
	assert_int_equal(csr_read(der, (size_t)n, &c), want);
	OPENSSL_free(der);
	X509_REQ_free(r);
	EVP_PKEY_free(evp);
	return c;
}

static void
requests_of_others_are_read(void **state)
{
	(void)state;
	[[gnu::cleanup(pkey_free)]] struct pkey *k = key_of(PKEY_P256, "csr");
	[[gnu::cleanup(csr_free)]] struct csr *one = with_subject(k, "WWW.Example", "DNS:www.example,DNS:a.example", OK);
	[[gnu::cleanup(csr_free)]] struct csr *cn = with_subject(k, "www.example", NULL, OK);
	assert_int_equal(one->names.n, 2);
	assert_int_equal(cn->names.n, 1);
	assert_null(with_subject(k, "www.example", "IP:192.0.2.1", E_UNSUPPORTED));
	assert_null(with_subject(k, "Example, Inc.", "DNS:www.example", E_UNSUPPORTED));
	assert_null(with_subject(k, "www.example", "DNS:a.*.example", E_UNSUPPORTED));
}

static void
host_names_are_plain(void **state)
{
	(void)state;
	static const char *const good[] = { "a", "a.b", "*.a", "_x.a", "xn--nxasmq6b.example", "1-2.example" };
	static const char *const wrong[] = { "", ".", "a.", ".a", "a..b", "*", "*.", "*a.b", "a.*", "a b", "a\\.b", "\xC3\xA4.b", "*.*.a" };
	struct host_names *names = calloc(1, sizeof *names);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(host_names_add(names, good[i], strlen(good[i])), OK);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(host_names_add(names, wrong[i], strlen(wrong[i])), E_FORMAT);
	}
	assert_int_equal(host_names_add(names, "a\0b", 3), E_FORMAT);
	assert_int_equal(names->n, ARRAY_LEN(good));
	free(names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_has_key_and_names),
		cmocka_unit_test(a_hundred_of_the_longest_names_fit),
		cmocka_unit_test(each_octet_counts),
		cmocka_unit_test(requests_of_others_are_read),
		cmocka_unit_test(host_names_are_plain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
