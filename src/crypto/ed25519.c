#include "crypto/ed25519.h"

#include <openssl/evp.h>

static void
pkey_free(EVP_PKEY **key)
{
	EVP_PKEY_free(*key); /* wipes */
}

err_t
ed25519_public(const uint8_t seed[ED25519_SEED_LEN], uint8_t out[ED25519_PUBLIC_LEN])
{
	[[gnu::cleanup(pkey_free)]] EVP_PKEY *key =
	        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_LEN);
	size_t n = ED25519_PUBLIC_LEN;
	if (key == NULL || EVP_PKEY_get_raw_public_key(key, out, &n) != 1 || n != ED25519_PUBLIC_LEN) {
		return E_CRYPTO;
	}
	return OK;
}
