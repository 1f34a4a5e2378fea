/* crypto/drop_p.h -- how objects of OpenSSL that more than one source of src/crypto has are freed: for [[gnu::cleanup]]. */
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/x509v3.h>

static inline void
bn_drop(BIGNUM **n)
{
	BN_clear_free(*n);
}

static inline void
bn_ctx_drop(BN_CTX **c)
{
	BN_CTX_free(*c);
}

static inline void
bio_drop(BIO **b)
{
	BIO_free(*b); /* wipes the memory of a BIO_s_mem() */
}

static inline void
names_drop(GENERAL_NAMES **n)
{
	GENERAL_NAMES_free(*n);
}
