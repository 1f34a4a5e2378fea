/* crypto/pkey_p.h -- what the sources of src/crypto know of keys: they are OpenSSL's. */
#pragma once

#include <openssl/evp.h>

#include "crypto/pkey.h"

struct pkey {
	EVP_PKEY *evp; /* owned */
	enum pkey_kind kind;
	unsigned bits;
};

/* Takes `evp`, also when it fails.  E_UNSUPPORTED as in pkey.h; E_CRYPTO: NULL. */
err_t pkey_take(EVP_PKEY *evp, struct pkey **out);

/* The digest with which keys of this kind sign; NULL: the signature scheme has its own. */
const EVP_MD *pkey_digest(const struct pkey *k);

/* From the number that is the private key. */
err_t pkey_make_ec(enum pkey_kind kind, const BIGNUM *number, struct pkey **out);
err_t pkey_make_ed25519(const uint8_t seed[32], struct pkey **out);
