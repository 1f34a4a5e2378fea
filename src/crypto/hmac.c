#include "crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/alloc.h"

static const struct {
	const char *digest; /* OpenSSL's name */
	uint8_t len;
} algs[HMAC_ALG_COUNT] = {
	[HMAC_SHA1] = { "SHA1", 20 },     [HMAC_SHA224] = { "SHA224", 28 }, [HMAC_SHA256] = { "SHA256", 32 },
	[HMAC_SHA384] = { "SHA384", 48 }, [HMAC_SHA512] = { "SHA512", 64 },
};

struct hmac {
	EVP_MAC_CTX *ctx; /* owned */
};

size_t
hmac_len(enum hmac_alg alg)
{
	return algs[alg].len;
}

err_t
hmac_begin(enum hmac_alg alg, const uint8_t *key, size_t key_len, struct hmac **out)
{
	if (alg <= HMAC_NONE || alg >= HMAC_ALG_COUNT) {
		return E_UNSUPPORTED;
	}
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac); /* the context holds a reference of its own */
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)algs[alg].digest, 0),
		OSSL_PARAM_construct_end(),
	};
	if (ctx == NULL || EVP_MAC_init(ctx, key, key_len, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		return E_CRYPTO;
	}
	struct hmac *h = try_alloc(sizeof *h);
	if (h == NULL) {
		EVP_MAC_CTX_free(ctx);
		return E_NOMEM;
	}
	h->ctx = ctx;
	*out = h;
	return OK;
}

err_t
hmac_update(struct hmac *h, const void *bytes, size_t n)
{
	if (n == 0) {
		return OK;
	}
	return EVP_MAC_update(h->ctx, bytes, n) == 1 ? OK : E_CRYPTO;
}

err_t
hmac_finish(struct hmac *h, uint8_t mac[HMAC_MAX], size_t *mac_len)
{
	size_t n = 0;
	if (EVP_MAC_final(h->ctx, mac, &n, HMAC_MAX) != 1) {
		return E_CRYPTO;
	}
	*mac_len = n;
	return OK;
}

void
hmac_free(struct hmac **h)
{
	if (*h != NULL) {
		EVP_MAC_CTX_free((*h)->ctx); /* wipes the key */
		free_ptr(h);
	}
}

bool
ct_is_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
