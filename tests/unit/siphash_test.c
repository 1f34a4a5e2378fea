#include "crypto/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "base/err.h"
#include "hex.h"

/* The authors' reference vectors: key 00 01 02 …, input 00 01 02 … of growing length. */
static void
the_authors_vectors(void **state)
{
	(void)state;
	static const struct {
		size_t len;
		const char *hash;
	} vectors[] = {
		{ 0, "310e0edd47db6f72" }, { 1, "fd67dc93c539f874" }, { 7, "37d1018bf50002ab" }, { 8, "6224939a79f5f593" },
		{ 15, "e545be4961ca29a1" },
	};
	uint8_t octets[64], want[SIPHASH_LEN], got[SIPHASH_LEN];
	for (size_t i = 0; i < sizeof octets; i++) {
		octets[i] = (uint8_t)i;
	}
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		assert_int_equal(unhex(vectors[i].hash, want, sizeof want), SIPHASH_LEN);
		siphash_octets(octets, octets, vectors[i].len, got);
		assert_memory_equal(got, want, SIPHASH_LEN);
	}
	assert_true(siphash(octets, octets, 15) == UINT64_C(0xA129CA6149BE45E5)); /* of their paper, appendix A */
}

/* OpenSSL's, for every length up to 64 and keys and inputs of all kinds. */
static void
the_same_as_openssl(void **state)
{
	(void)state;
	uint8_t key[SIPHASH_KEY_LEN], octets[64], want[SIPHASH_LEN], got[SIPHASH_LEN];
	uint32_t seed = 1;
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *c = EVP_MAC_CTX_new(mac);
	size_t size = SIPHASH_LEN, want_len;
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t("size", &size), OSSL_PARAM_construct_end() };
	assert_non_null(c);
	for (size_t n = 0; n <= sizeof octets; n++) {
		for (size_t i = 0; i < sizeof octets; i++) {
			seed = seed * 1664525 + 1013904223;
			octets[i] = (uint8_t)(seed >> 24);
			key[i % sizeof key] = (uint8_t)(seed >> 16);
		}
		assert_int_equal(EVP_MAC_init(c, key, sizeof key, params), 1);
		assert_int_equal(EVP_MAC_update(c, octets, n), 1);
		assert_int_equal(EVP_MAC_final(c, want, &want_len, sizeof want), 1);
		assert_int_equal(want_len, SIPHASH_LEN);
		siphash_octets(key, octets, n, got);
		assert_memory_equal(got, want, SIPHASH_LEN);
	}
	EVP_MAC_CTX_free(c);
	EVP_MAC_free(mac);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_authors_vectors), cmocka_unit_test(the_same_as_openssl) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
