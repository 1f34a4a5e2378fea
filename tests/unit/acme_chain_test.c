#include "acme/chain.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "certificates.h"

enum { NOW = 1800000000, DAY = 86400 };

static struct world {
	struct pkey *root_key, *middle_key, *leaf_key, *other_key;
	struct cert *root, *middle, *leaf, *other, *old, *early, *false_ca, *old_middle;
} w;

static const char *const names[] = { "www.example", "*.example" };
static const struct acme_chain_wish *wish;

static struct cert *
leaf(const struct pkey *key, bool is_ca, int64_t from_s, int64_t to_s)
{
	return make_cert(&(struct making){ "", "Middle", key, w.middle_key, "DNS:www.example,DNS:*.example", is_ca, from_s, to_s, 5 });
}

static int
set_up(void **state)
{
	static struct acme_chain_wish of_all;
	(void)state;
	w.root_key = key_of(PKEY_P384, "root");
	w.middle_key = key_of(PKEY_P256, "middle");
	w.leaf_key = key_of(PKEY_ED25519, "leaf");
	w.other_key = key_of(PKEY_P256, "other");
	w.root = make_cert(&(struct making){ "Root", "Root", w.root_key, w.root_key, NULL, true, NOW - DAY, NOW + 900 * DAY, 1 });
	w.middle = make_cert(&(struct making){ "Middle", "Root", w.middle_key, w.root_key, NULL, true, NOW - DAY, NOW + 400 * DAY, 2 });
	w.old_middle = make_cert(&(struct making){ "Middle", "Root", w.middle_key, w.root_key, NULL, true, NOW - 9 * DAY, NOW, 2 });
	w.leaf = leaf(w.leaf_key, false, NOW - DAY, NOW + 90 * DAY);
	w.other = leaf(w.other_key, false, NOW - DAY, NOW + 90 * DAY);
	w.old = leaf(w.leaf_key, false, NOW - 9 * DAY, NOW);
	w.early = leaf(w.leaf_key, false, NOW + DAY, NOW + 90 * DAY);
	w.false_ca = leaf(w.leaf_key, true, NOW - DAY, NOW + 90 * DAY);
	of_all = (struct acme_chain_wish){ .key = w.leaf_key, .names = names, .names_n = 2, .now_s = NOW };
	wish = &of_all;
	return 0;
}

static int
tear_down(void **state)
{
	struct pkey **keys[] = { &w.root_key, &w.middle_key, &w.leaf_key, &w.other_key };
	struct cert **certs[] = { &w.root, &w.middle, &w.leaf, &w.other, &w.old, &w.early, &w.false_ca, &w.old_middle };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		pkey_free(keys[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(certs); i++) {
		cert_free(certs[i]);
	}
	return 0;
}

static err_t
read(struct cert *const *certs, size_t n, struct acme_chain *out, const char **why)
{
	struct str pem = { 0 };
	for (size_t i = 0; i < n; i++) {
		cert_put_pem(certs[i], &pem);
	}
	err_t err = acme_chain_read(wish, str_text(&pem), pem.len, out, why);
	str_fini(&pem);
	return err;
}

static void
assert_refused(struct cert *const *certs, size_t n, const char *text)
{
	struct acme_chain chain = { 0 };
	const char *why = "";
	assert_int_equal(read(certs, n, &chain, &why), E_AUTH);
	assert_non_null(strstr(why, text));
	assert_int_equal(chain.n, 0);
}

static void
chains_are_taken(void **state)
{
	struct acme_chain chain = { 0 };
	const char *why = NULL;
	(void)state;
	for (size_t n = 1; n <= 3; n++) {
		assert_int_equal(read((struct cert *[]){ w.leaf, w.middle, w.root }, n, &chain, &why), OK);
		assert_int_equal(chain.n, n);
		assert_true(cert_is_equal(chain.certs[0], w.leaf));
		acme_chain_fini(&chain);
	}
}

static void
lies_are_refused(void **state)
{
	static const char *const more_names[] = { "www.example", "other.example" };
	struct acme_chain_wish more = *wish;
	struct acme_chain chain = { 0 };
	const char *why = NULL;
	(void)state;
	assert_refused((struct cert *[]){ w.other, w.middle }, 2, "another public key");
	assert_refused((struct cert *[]){ w.middle, w.leaf }, 2, "another public key");
	assert_refused((struct cert *[]){ w.old, w.middle }, 2, "the certificate has expired");
	assert_refused((struct cert *[]){ w.leaf, w.old_middle }, 2, "of its chain has expired");
	assert_refused((struct cert *[]){ w.early, w.middle }, 2, "not valid yet");
	assert_refused((struct cert *[]){ w.false_ca, w.middle }, 2, "of a CA");
	assert_refused((struct cert *[]){ w.leaf, w.root }, 2, "not signed by the next");
	assert_refused((struct cert *[]){ w.leaf, w.middle, w.middle }, 3, "not signed by the next");
	more.names = more_names;
	wish = &more;
	assert_refused((struct cert *[]){ w.leaf, w.middle }, 2, "lacks a name");
	assert_int_equal(acme_chain_read(&more, "", 0, &chain, &why), E_NOTFOUND);
}

static void
chains_are_bounded(void **state)
{
	struct cert *many[ACME_CHAIN_CERTS_MAX + 1];
	struct acme_chain chain = { 0 };
	const char *why = NULL;
	(void)state;
	many[0] = w.leaf;
	many[1] = w.middle;
	for (size_t i = 2; i < ARRAY_LEN(many); i++) {
		many[i] = w.root; /* it has signed itself */
	}
	assert_int_equal(read(many, ACME_CHAIN_CERTS_MAX, &chain, &why), OK);
	acme_chain_fini(&chain);
	assert_int_equal(read(many, ACME_CHAIN_CERTS_MAX + 1, &chain, &why), E_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_are_taken),
		cmocka_unit_test(chains_are_bounded),
		cmocka_unit_test(lies_are_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
