#include "crypto/pkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/hmac.h"
#include "crypto/sha.h"
#include "hex.h"

static const uint8_t seed[] = "a seed of the tests";

static struct pkey *
seeded(enum pkey_kind kind, unsigned bits)
{
	struct pkey *k = NULL;
	assert_int_equal(pkey_from_seed(kind, bits, seed, sizeof seed - 1, &k), OK);
	assert_int_equal(pkey_kind(k), kind);
	return k;
}

static struct buf
public_of(const struct pkey *k, uint8_t room[PKEY_PUBLIC_MAX])
{
	struct buf b = buf_over(room, PKEY_PUBLIC_MAX);
	assert_int_equal(pkey_public(k, &b), OK);
	return b;
}

static const struct {
	enum pkey_kind kind;
	unsigned bits;
	const char *text, *alg;
	const char *public_hash; /* SHA-256 of the public key, computed independently */
} kinds[] = {
	{ PKEY_RSA, 2048, "RSA 2048", "RS256", "338d3ca278fa1ccdb740ac25f11aff89fc71f91b29479b19fc66f40a297efab9" },
	{ PKEY_P256, 256, "P-256", "ES256", "0ce104e276534eb0509723c9d35a3963174dc6d716e98f0fd49b6d4f4a4a1d2c" },
	{ PKEY_P384, 384, "P-384", "ES384", "1f051884d553bb615ed07ba4a191da30f8402a15199870de1f1b25c5ed181f22" },
	{ PKEY_ED25519, 256, "Ed25519", "EdDSA", "782d533235ccdeb595e66be422f7609e148f7257aa4245e355f029bafbd00200" },
};

/* Somebody may have no other copy of a key than its seed: the hashes must never change. */
static void
a_seed_gives_the_same_key_for_ever(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		uint8_t room[PKEY_PUBLIC_MAX], hash[SHA256_LEN], want[SHA256_LEN] = { 0 };
		char text[PKEY_TEXT_MAX];
		[[gnu::cleanup(pkey_free)]] struct pkey *k = seeded(kinds[i].kind, kinds[i].bits);
		struct buf b = public_of(k, room);
		assert_int_equal(sha256(b.base, b.len, NULL, 0, hash), OK);
		(void)unhex(kinds[i].public_hash, want, sizeof want);
		assert_memory_equal(hash, want, sizeof want);
		assert_string_equal(pkey_print(k, text), kinds[i].text);
		assert_string_equal(pkey_jws_alg(k), kinds[i].alg);
		if (kinds[i].kind == PKEY_RSA) {
			assert_int_equal(pkey_bits(k), kinds[i].bits);
		}
	}
}

static void
other_seeds_and_kinds_give_other_keys(void **state)
{
	(void)state;
	struct pkey_numbers a, b, c;
	[[gnu::cleanup(pkey_free)]] struct pkey *one = seeded(PKEY_P256, 0), *other = NULL, *ed = seeded(PKEY_ED25519, 0);
	assert_int_equal(pkey_from_seed(PKEY_P256, 0, seed, sizeof seed - 2, &other), OK);
	assert_false(pkey_is_equal(one, other));
	assert_int_equal(pkey_numbers(one, &a), OK);
	assert_int_equal(pkey_numbers(other, &b), OK);
	assert_int_equal(pkey_numbers(ed, &c), OK);
	assert_memory_not_equal(a.n_or_x, b.n_or_x, 32);
	assert_memory_not_equal(a.n_or_x, c.n_or_x, 32);
}

static void
sizes_of_rsa_are_bounded(void **state)
{
	(void)state;
	static const unsigned wrong[] = { 0, 1024, 2047, 2050, 4160, 8192 };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct pkey *k = NULL;
		assert_int_equal(pkey_from_seed(PKEY_RSA, wrong[i], seed, sizeof seed, &k), E_RANGE);
	}
}

static void
keys_survive_pem(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		uint8_t pem[PKEY_PEM_MAX], room[PKEY_PUBLIC_MAX];
		[[gnu::cleanup(pkey_free)]] struct pkey *k = seeded(kinds[i].kind, kinds[i].bits), *again = NULL, *public = NULL;
		struct buf b = buf_over(pem, sizeof pem);
		assert_int_equal(pkey_to_pem(k, &b), OK);
		assert_memory_equal(pem, "-----BEGIN PRIVATE KEY-----\n", 28);
		assert_int_equal(pkey_from_pem((const char *)pem, b.len, &again), OK);
		assert_true(pkey_is_equal(k, again));
		b = public_of(k, room);
		assert_int_equal(pkey_from_public(room, b.len, &public), OK);
		assert_true(pkey_is_equal(k, public));
		assert_int_equal(pkey_from_public(room, b.len - 1, &public), E_FORMAT);
	}
}

/* Made with "openssl genpkey" of a short RSA key, and "openssl ecparam" of another curve. */
static void
other_keys_are_refused(void **state)
{
	(void)state;
	static const char encrypted[] =
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg/eN+36PqRAAICCAAw\n"
		"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEF2OtEARVaQvLxwUZZmBQnEEQF8r\n"
		"iOJ6EjIdXBSyNISn4XQLlgkA9LyXoRRQVFEf5pnOU0W5HXnFpMYuxyiuCnQtkmjI\n"
		"nVX+7DLkEMqWYaXM3U4=\n-----END ENCRYPTED PRIVATE KEY-----\n";
	static const char k256[] = "-----BEGIN EC PRIVATE KEY-----\nMHQCAQEEIDAZ53t5kAS9YTOVTQElR+iw/R3OshQqJzydop0HNCraoAcGBSuBBAAK\n"
		"oUQDQgAEuj5zD/DM2Z8pDlGNE1CfhvPc7AzeawLKw3oL7eVW50gxCO5cviyHHTxc\n"
		"V+HYKfpNwB1j7uJWVMMJO9kctwa4Vg==\n-----END EC PRIVATE KEY-----\n";
	static const char x25519[] = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIBDGVnDwBOsDmrIRysTICceo8JHBqlCwry7IrAfnad98\n-----END PRIVATE KEY-----\n";
	static char large[PKEY_PEM_READ_MAX + 1];
	struct pkey *k = NULL;
	assert_int_equal(pkey_from_pem("", 0, &k), E_FORMAT);
	assert_int_equal(pkey_from_pem("nonsense", 8, &k), E_FORMAT);
	assert_int_equal(pkey_from_pem(encrypted, sizeof encrypted - 1, &k), E_AUTH);
	assert_int_equal(pkey_from_pem(k256, sizeof k256 - 1, &k), E_UNSUPPORTED);
	assert_int_equal(pkey_from_pem(x25519, sizeof x25519 - 1, &k), E_UNSUPPORTED);
	assert_int_equal(pkey_from_pem(large, sizeof large, &k), E_LIMIT);
	assert_int_equal(pkey_from_public((const uint8_t *)large, sizeof large, &k), E_LIMIT);
	assert_null(k);
}

/* RFC 8032 7.1, test 1; RFC 6979 A.2.5: the key of P-256. */
static void
numbers_are_keys(void **state)
{
	(void)state;
	uint8_t d[48], x[48];
	struct pkey_numbers n;
	[[gnu::cleanup(pkey_free)]] struct pkey *ed = NULL, *ec = NULL;
	(void)unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", d, sizeof d);
	(void)unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", x, sizeof x);
	assert_int_equal(pkey_from_octets(PKEY_ED25519, d, 32, &ed), OK);
	assert_int_equal(pkey_numbers(ed, &n), OK);
	assert_string_equal(n.kty, "OKP");
	assert_int_equal(n.n_or_x_len, 32);
	assert_int_equal(n.e_or_y_len, 0);
	assert_memory_equal(n.n_or_x, x, 32);
	(void)unhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", d, sizeof d);
	(void)unhex("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6", x, sizeof x);
	assert_int_equal(pkey_from_octets(PKEY_P256, d, 32, &ec), OK);
	assert_int_equal(pkey_numbers(ec, &n), OK);
	assert_string_equal(n.kty, "EC");
	assert_string_equal(n.crv, "P-256");
	assert_int_equal(n.e_or_y_len, 32);
	assert_memory_equal(n.n_or_x, x, 32);
}

static void
numbers_out_of_range_are_no_keys(void **state)
{
	(void)state;
	uint8_t octets[48];
	struct pkey *k = NULL;
	memset(octets, 0xFF, sizeof octets);
	assert_int_equal(pkey_from_octets(PKEY_P256, octets, 32, &k), E_RANGE);
	assert_int_equal(pkey_from_octets(PKEY_P256, octets, 31, &k), E_FORMAT);
	memset(octets, 0, sizeof octets);
	assert_int_equal(pkey_from_octets(PKEY_P384, octets, 48, &k), E_RANGE);
	assert_int_equal(pkey_from_octets(PKEY_RSA, octets, 48, &k), E_FORMAT);
	assert_int_equal(pkey_from_octets(PKEY_NONE, octets, 48, &k), E_UNSUPPORTED);
	assert_null(k);
}

/* A signature of JWS, as OpenSSL verifies it. */
static bool
is_verified(const struct pkey *k, const char *message, const uint8_t *signature, size_t len)
{
	uint8_t room[PKEY_PUBLIC_MAX];
	unsigned char *der = NULL;
	struct buf b = public_of(k, room);
	const unsigned char *at = room;
	EVP_PKEY *evp = d2i_PUBKEY(NULL, &at, (long)b.len);
	const EVP_MD *md = pkey_kind(k) == PKEY_ED25519 ? NULL : pkey_kind(k) == PKEY_P384 ? EVP_sha384() : EVP_sha256();
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t der_len = len;
	if (pkey_kind(k) == PKEY_P256 || pkey_kind(k) == PKEY_P384) {
		ECDSA_SIG *s = ECDSA_SIG_new();
		int half = (int)len / 2;
		ECDSA_SIG_set0(s, BN_bin2bn(signature, half, NULL), BN_bin2bn(signature + half, half, NULL));
		der_len = (size_t)i2d_ECDSA_SIG(s, &der);
		ECDSA_SIG_free(s);
	}
	bool verified = EVP_DigestVerifyInit(c, NULL, md, NULL, evp) == 1 &&
	                EVP_DigestVerify(c, der != NULL ? der : signature, der_len, (const uint8_t *)message, strlen(message)) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(evp);
	return verified;
}

static void
signatures_are_those_of_jws(void **state)
{
	(void)state;
	static const size_t lens[] = { 256, 64, 96, 64 };
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		uint8_t signature[PKEY_SIGNATURE_MAX];
		struct buf b = buf_over(signature, sizeof signature), small = buf_over(signature, 63);
		[[gnu::cleanup(pkey_free)]] struct pkey *k = seeded(kinds[i].kind, kinds[i].bits);
		assert_int_equal(pkey_sign(k, "message", 7, &b), OK);
		assert_int_equal(b.len, lens[i]);
		assert_true(is_verified(k, "message", signature, b.len));
		assert_false(is_verified(k, "massage", signature, b.len));
		assert_int_equal(pkey_sign(k, "message", 7, &small), E_FULL);
	}
}

static void
public_keys_sign_nothing(void **state)
{
	(void)state;
	uint8_t room[PKEY_PUBLIC_MAX], signature[PKEY_SIGNATURE_MAX];
	[[gnu::cleanup(pkey_free)]] struct pkey *k = seeded(PKEY_P256, 0), *public = NULL;
	struct buf b = public_of(k, room), out = buf_over(signature, sizeof signature);
	assert_int_equal(pkey_from_public(room, b.len, &public), OK);
	assert_int_equal(pkey_sign(public, "message", 7, &out), E_CRYPTO);
	assert_int_equal(pkey_to_pem(public, &out), E_CRYPTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_gives_the_same_key_for_ever),
		cmocka_unit_test(other_seeds_and_kinds_give_other_keys),
		cmocka_unit_test(sizes_of_rsa_are_bounded),
		cmocka_unit_test(keys_survive_pem),
		cmocka_unit_test(other_keys_are_refused),
		cmocka_unit_test(numbers_are_keys),
		cmocka_unit_test(numbers_out_of_range_are_no_keys),
		cmocka_unit_test(signatures_are_those_of_jws),
		cmocka_unit_test(public_keys_sign_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
