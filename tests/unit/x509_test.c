#include "crypto/x509.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "certificates.h"

enum { NOW = 1800000000, DAY = 86400 };

/* A root, two intermediate certificates with one key of which one has expired, and a leaf; and a CA that has nothing to do with it. */
struct world {
	struct pkey *root_key, *middle_key, *leaf_key, *other_key;
	struct cert *root, *old, *middle, *leaf, *other, *impostor;
};

static struct cert *
ca(const char *subject, const char *issuer, const struct pkey *key, const struct pkey *signer, int64_t not_after_s)
{
	return make_cert(&(struct making){ subject, issuer, key, signer, NULL, true, NOW - 400 * DAY, not_after_s, 2 });
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	w->root_key = key_of(PKEY_P384, "root");
	w->middle_key = key_of(PKEY_P256, "middle");
	w->leaf_key = key_of(PKEY_ED25519, "leaf");
	w->other_key = key_of(PKEY_P256, "other");
	w->root = ca("Root", "Root", w->root_key, w->root_key, NOW + 4000 * DAY);
	w->old = ca("Middle", "Root", w->middle_key, w->root_key, NOW - DAY);
	w->middle = ca("Middle", "Root", w->middle_key, w->root_key, NOW + 400 * DAY);
	w->other = ca("Other", "Root", w->other_key, w->root_key, NOW + 400 * DAY);
	w->impostor = ca("Middle", "Root", w->other_key, w->other_key, NOW + 800 * DAY);
	w->leaf = make_cert(&(struct making){ "", "Middle", w->leaf_key, w->middle_key, "DNS:www.example,DNS:*.example,IP:192.0.2.1", false,
	                                      NOW - DAY, NOW + 90 * DAY, 0x87654321 });
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;
	struct pkey **keys[] = { &w->root_key, &w->middle_key, &w->leaf_key, &w->other_key };
	struct cert **certs[] = { &w->root, &w->old, &w->middle, &w->leaf, &w->other, &w->impostor };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		pkey_free(keys[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(certs); i++) {
		cert_free(certs[i]);
	}
	free(w);
	return 0;
}

static void
what_is_in_it_is_read(void **state)
{
	const struct world *w = *state;
	const struct cert *c = w->leaf;
	assert_int_equal(c->not_before_s, NOW - DAY);
	assert_int_equal(c->not_after_s, NOW + 90 * DAY);
	assert_true(pkey_is_equal(c->key, w->leaf_key));
	assert_false(c->is_ca);
	assert_true(w->middle->is_ca);
	assert_int_equal(c->names.n, 2);
	assert_true(host_names_has(&c->names, "*.example"));
	assert_string_equal(c->issuer, "Middle");
	assert_int_equal(c->serial_len, 5); /* RFC 9773 4.1: the first octet is 0, as the number is positive */
	assert_memory_equal(c->serial, ((const uint8_t[]){ 0, 0x87, 0x65, 0x43, 0x21 }), 5);
	assert_int_equal(c->key_id_len, 0);
}

static void
issuers_are_verified(void **state)
{
	const struct world *w = *state;
	assert_true(cert_is_issued_by(w->leaf, w->middle));
	assert_true(cert_is_issued_by(w->middle, w->root));
	assert_true(cert_is_issued_by(w->root, w->root));
	assert_false(cert_is_issued_by(w->leaf, w->root));
	assert_false(cert_is_issued_by(w->leaf, w->impostor)); /* has the name, but not the key */
	assert_false(cert_is_issued_by(w->leaf, w->leaf));
	assert_false(cert_is_issued_by(w->root, w->leaf));
}

static void
chains_are_found_in_any_order(void **state)
{
	const struct world *w = *state;
	struct cert *others[] = { w->root, w->other, w->impostor, w->old, w->middle };
	const struct cert *chain[CHAIN_MAX];
	size_t n = 99;
	for (size_t turn = 0; turn < ARRAY_LEN(others); turn++) {
		struct cert *first = others[0];
		memmove(others, others + 1, sizeof others - sizeof others[0]);
		others[ARRAY_LEN(others) - 1] = first;
		chain_order(w->leaf, others, ARRAY_LEN(others), NOW, chain, &n);
		assert_int_equal(n, 2);
		assert_ptr_equal(chain[0], w->middle);
		assert_ptr_equal(chain[1], w->root);
	}
	chain_order(w->leaf, (struct cert *[]){ w->other, w->old }, 2, NOW, chain, &n);
	assert_int_equal(n, 1); /* an expired one is better than none */
	chain_order(w->leaf, (struct cert *[]){ w->other, w->impostor, w->root, w->leaf }, 4, NOW, chain, &n);
	assert_int_equal(n, 0);
	chain_order(w->leaf, NULL, 0, NOW, chain, &n);
	assert_int_equal(n, 0);
}

static void
two_that_issued_each_other_end_the_chain(void **state)
{
	const struct world *w = *state;
	[[gnu::cleanup(cert_free)]] struct cert *a = ca("Middle", "Other", w->middle_key, w->other_key, NOW + DAY);
	[[gnu::cleanup(cert_free)]] struct cert *b = ca("Other", "Middle", w->other_key, w->middle_key, NOW + DAY);
	const struct cert *chain[CHAIN_MAX];
	size_t n;
	chain_order(w->leaf, (struct cert *[]){ a, b }, 2, NOW, chain, &n);
	assert_int_equal(n, 2);
}

static void
free_both(struct cert *certs[2])
{
	cert_free(&certs[0]);
	cert_free(&certs[1]);
}

static void
pem_is_read_and_written(void **state)
{
	const struct world *w = *state;
	struct cert *certs[2] = { NULL };
	struct str text = { 0 };
	size_t n;
	str_cat(&text, "subject: somebody\n");
	cert_put_pem(w->leaf, &text);
	str_cat(&text, "-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n");
	cert_put_pem(w->middle, &text);
	assert_int_equal(certs_read_pem(text.s, text.len, certs, 2, &n), OK);
	assert_int_equal(n, 2);
	assert_true(cert_is_equal(certs[0], w->leaf));
	assert_true(cert_is_equal(certs[1], w->middle));
	free_both(certs);
	assert_int_equal(certs_read_pem(text.s, text.len, certs, 1, &n), E_LIMIT);
	assert_int_equal(n, 1);
	cert_free(&certs[0]);
	assert_int_equal(certs_read_pem("", 0, certs, 1, &n), E_NOTFOUND);
	size_t whole = text.len;
	str_cat(&text, "and some words\n");
	assert_int_equal(certs_read_pem(text.s, text.len, certs, 2, &n), OK);
	free_both(certs);
	for (size_t cut = whole - 40; cut < whole - 30; cut++) { /* the end of the second one is not there */
		assert_int_equal(certs_read_pem(text.s, cut, certs, 2, &n), E_FORMAT);
		free_both(certs);
	}
	str_fini(&text);
}

static void
wrong_octets_are_refused(void **state)
{
	const struct world *w = *state;
	static const uint8_t large[CERT_DER_MAX + 1];
	struct cert *c = NULL;
	for (size_t len = 0; len < w->leaf->der_len; len++) {
		assert_int_equal(cert_read(w->leaf->der, len, &c), E_FORMAT);
	}
	assert_int_equal(cert_read(large, sizeof large, &c), E_LIMIT);
	assert_null(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_it_is_read),
		cmocka_unit_test(issuers_are_verified),
		cmocka_unit_test(chains_are_found_in_any_order),
		cmocka_unit_test(two_that_issued_each_other_end_the_chain),
		cmocka_unit_test(pem_is_read_and_written),
		cmocka_unit_test(wrong_octets_are_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
