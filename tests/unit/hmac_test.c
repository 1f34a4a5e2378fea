#include "crypto/hmac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/enc.h"
#include "crypto/ed25519.h"
#include "crypto/sha.h"
#include "hex.h"

static void
assert_hex(const uint8_t *bytes, size_t n, const char *hex)
{
	uint8_t want[128];
	assert_int_equal(unhex(hex, want, sizeof want), n);
	assert_memory_equal(bytes, want, n);
}

/* RFC 2202 3, test case 2 (SHA-1), RFC 4231 4.3 (the others): key "Jefe". */
static void
hmac_vectors(void **state)
{
	(void)state;
	static const struct {
		enum hmac_alg alg;
		const char *mac;
	} vectors[] = {
		{ HMAC_SHA1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
		{ HMAC_SHA224, "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44" },
		{ HMAC_SHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ HMAC_SHA384, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47"
		               "e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649" },
		{ HMAC_SHA512, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
		               "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
	};
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		[[gnu::cleanup(hmac_free)]] struct hmac *h = NULL;
		uint8_t mac[HMAC_MAX];
		size_t n = 0;
		assert_int_equal(hmac_begin(vectors[i].alg, (const uint8_t *)"Jefe", 4, &h), OK);
		assert_int_equal(hmac_update(h, "what do ya want ", 16), OK);
		assert_int_equal(hmac_update(h, "", 0), OK);
		assert_int_equal(hmac_update(h, "for nothing?", 12), OK);
		assert_int_equal(hmac_finish(h, mac, &n), OK);
		assert_int_equal(n, hmac_len(vectors[i].alg));
		assert_hex(mac, n, vectors[i].mac);
	}
}

static void
hmac_refuses_what_it_does_not_know(void **state)
{
	(void)state;
	struct hmac *h = NULL;
	assert_int_equal(hmac_begin(HMAC_NONE, (const uint8_t *)"k", 1, &h), E_UNSUPPORTED);
	assert_int_equal(hmac_begin(HMAC_ALG_COUNT, (const uint8_t *)"k", 1, &h), E_UNSUPPORTED);
	assert_null(h);
	hmac_free(&h);
	assert_int_equal(hmac_len(HMAC_NONE), 0);
}

static void
secrets_are_compared(void **state)
{
	(void)state;
	assert_true(ct_is_equal("abc", "abd", 2));
	assert_false(ct_is_equal("abc", "abd", 3));
	assert_true(ct_is_equal("", "", 0));
}

/* FIPS 180-2's "abc", in two pieces. */
static void
sha_vectors(void **state)
{
	(void)state;
	uint8_t out[SHA256_LEN];
	assert_int_equal(sha1("ab", 2, "c", 1, out), OK);
	assert_hex(out, SHA1_LEN, "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_int_equal(sha256("abc", 3, NULL, 0, out), OK);
	assert_hex(out, SHA256_LEN, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 5155 appendix A: salt aabbccdd, 12 iterations. */
static void
nsec3_vectors(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t len;
		const char *hash;
	} vectors[] = {
		{ "\7example", 9, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom" },
		{ "\1a\7example", 11, "35mthgpgcu1qg68fab165klnsnk3dpvl" },
		{ "\1*\1w\7example", 13, "r53bq7cc2uvmubfu5ocmm6pers9tk9en" },
	};
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		uint8_t hash[20];
		char text[33] = { 0 };
		assert_int_equal(nsec3_hash((const uint8_t *)vectors[i].name, vectors[i].len,
		                            (const uint8_t *)"\xaa\xbb\xcc\xdd", 4, 12, hash), OK);
		assert_int_equal(base32hex_encode(hash, 20, text), 32);
		assert_string_equal(text, vectors[i].hash);
	}
}

/* RFC 8032 7.1, test 1; and a seed that awa_gen_key printed, with the public key that it printed. */
static void
ed25519_vectors(void **state)
{
	(void)state;
	uint8_t seed[32], public[32];
	unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", seed, 32);
	assert_int_equal(ed25519_public(seed, public), OK);
	assert_hex(public, 32, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");

	static const char awa_seed[] = "nO7ervdJqzPfuvdM/J4qImipwVoI5gl53fpqgjZnv9w=";
	static const char awa_public[] = "AAAAC3NzaC1lZDI1NTE5AAAAICyliWbwWWXBc1+DRIzReLQ4UFiVGXJ6Paw1Jts+XQte";
	uint8_t blob[51];
	size_t n = 0;
	assert_int_equal(base64_decode(awa_seed, strlen(awa_seed), seed, 32, &n), OK);
	assert_int_equal(base64_decode(awa_public, strlen(awa_public), blob, sizeof blob, &n), OK);
	assert_int_equal(n, sizeof blob);
	assert_int_equal(ed25519_public(seed, public), OK);
	assert_memory_equal(public, blob + 19, 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_vectors),
		cmocka_unit_test(hmac_refuses_what_it_does_not_know),
		cmocka_unit_test(secrets_are_compared),
		cmocka_unit_test(sha_vectors),
		cmocka_unit_test(nsec3_vectors),
		cmocka_unit_test(ed25519_vectors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
