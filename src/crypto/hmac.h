/* crypto/hmac.h -- HMAC (RFC 2104), by OpenSSL; and comparing secrets.
 *
 * Only src/crypto includes <openssl/...> (tools/check-floors).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum hmac_alg { HMAC_NONE, HMAC_SHA1, HMAC_SHA224, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512, HMAC_ALG_COUNT };

enum { HMAC_MAX = 64, SHA1_LEN = 20, SHA256_LEN = 32 };

size_t hmac_len(enum hmac_alg alg); /* octets of a MAC */

struct hmac; /* a computation under way */

err_t hmac_begin(enum hmac_alg alg, const uint8_t *key, size_t key_len, struct hmac **out);
err_t hmac_update(struct hmac *h, const void *bytes, size_t n);
err_t hmac_finish(struct hmac *h, uint8_t mac[HMAC_MAX], size_t *mac_len); /* h must still be freed */
void hmac_free(struct hmac **h); /* NULL-safe; serves as a cleanup handler */

/* Constant time for any content; the length is not secret. */
bool ct_is_equal(const void *a, const void *b, size_t n);
