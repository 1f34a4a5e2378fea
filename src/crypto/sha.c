/* Uses OpenSSL's SHA1_*() and SHA256_*() functions, which are deprecated in favour of EVP: EVP allocates memory and takes a lock
 * for each hash, and NSEC3 hashes are made while answering. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/sha.h"

#include <openssl/sha.h>

err_t
sha1(const void *a, size_t a_len, const void *b, size_t b_len, uint8_t out[20])
{
	SHA_CTX ctx;
	bool ok = SHA1_Init(&ctx) == 1 && SHA1_Update(&ctx, a, a_len) == 1 &&
	          SHA1_Update(&ctx, b, b_len) == 1 && SHA1_Final(out, &ctx) == 1;
	return ok ? OK : E_CRYPTO;
}

err_t
sha256(const void *a, size_t a_len, const void *b, size_t b_len, uint8_t out[32])
{
	SHA256_CTX ctx;
	bool ok = SHA256_Init(&ctx) == 1 && SHA256_Update(&ctx, a, a_len) == 1 &&
	          SHA256_Update(&ctx, b, b_len) == 1 && SHA256_Final(out, &ctx) == 1;
	return ok ? OK : E_CRYPTO;
}

err_t
nsec3_hash(const uint8_t *name, size_t name_len, const uint8_t *salt, size_t salt_len, uint16_t iterations,
           uint8_t out[20])
{
	uint8_t digest[20];
	TRY(sha1(name, name_len, salt, salt_len, digest));
	for (unsigned i = 0; i < iterations; i++) {
		TRY(sha1(digest, sizeof digest, salt, salt_len, digest));
	}
	for (size_t i = 0; i < sizeof digest; i++) {
		out[i] = digest[i];
	}
	return OK;
}
