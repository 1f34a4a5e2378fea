/* crypto/pkey.h -- keys of certificates and accounts: RSA, P-256, P-384, Ed25519, by OpenSSL.
 *
 * A key is private, or only the public part of one; it is immutable.  A private key is overwritten when it is freed.
 *
 * Nothing here makes up a key: pkey_from_seed() is a function of its arguments, and whoever wants a key that nobody can guess brings a
 * seed that nobody can guess.  But OpenSSL takes random numbers of its own for ECDSA signatures, so these differ each time; signatures with
 * RSA and Ed25519 do not.
 *
 * Errors: E_UNSUPPORTED: a key of another kind or size; E_FORMAT: no key; E_CRYPTO, E_NOMEM: OpenSSL failed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum pkey_kind { PKEY_NONE, PKEY_RSA, PKEY_P256, PKEY_P384, PKEY_ED25519, PKEY_KIND_COUNT };

enum {
	PKEY_RSA_BITS_MIN = 2048,
	PKEY_RSA_BITS_MAX = 4096,
	PKEY_SEED_LEN = 32,          /* of a seed that nobody can guess; others may have any length but 0 */
	PKEY_PEM_MAX = 4096,         /* an RSA key of 4,096 bits takes 3,272 octets */
	PKEY_PEM_READ_MAX = 64 << 10, /* a file may have more than the key */
	PKEY_PUBLIC_MAX = 600,       /* the same key's public part takes 550 */
	PKEY_SIGNATURE_MAX = PKEY_RSA_BITS_MAX / 8,
	PKEY_NUMBER_MAX = PKEY_RSA_BITS_MAX / 8,
};

struct pkey;

/* `bits`: for RSA, a multiple of 64; ignored for others.  The same arguments give the same key, in every version of this program.  It
 * takes seconds for RSA.  E_RANGE: `bits`. */
err_t pkey_from_seed(enum pkey_kind kind, unsigned bits, const uint8_t *seed, size_t seed_len, struct pkey **out);

/* Takes the number that is the private key: 32 octets for P-256 and Ed25519, 48 for P-384; for RSA the DER of PKCS#8 or PKCS#1.
 * E_RANGE: the number is not one of the curve's. */
err_t pkey_from_octets(enum pkey_kind kind, const uint8_t *octets, size_t len, struct pkey **out);

/* Reads a private key: PKCS#8, PKCS#1 or SEC 1, and not one with a passphrase, which is E_AUTH.  E_LIMIT: over PKEY_PEM_READ_MAX. */
err_t pkey_from_pem(const char *text, size_t len, struct pkey **out);
err_t pkey_to_pem(const struct pkey *k, struct buf *out); /* PKCS#8, no NUL; the caller wipes it */

/* SubjectPublicKeyInfo (RFC 5280 4.1), the form in certificates, and the one that TLSA 3 1 1 hashes. */
err_t pkey_from_public(const uint8_t *der, size_t len, struct pkey **out);
err_t pkey_public(const struct pkey *k, struct buf *der);

void pkey_free(struct pkey **k); /* NULL-safe; serves as a cleanup handler */

enum pkey_kind pkey_kind(const struct pkey *k);
unsigned pkey_bits(const struct pkey *k);
bool pkey_is_equal(const struct pkey *a, const struct pkey *b); /* their public parts are */

/* "RSA 2048", "P-256" and so on, static or in `out`. */
enum { PKEY_TEXT_MAX = 16 };
const char *pkey_print(const struct pkey *k, char out[PKEY_TEXT_MAX]);

/* Signs as JWS wants it (RFC 7518 3, RFC 8037 3.1): RS256, ES256, ES384 (r and s, one after the other), EdDSA.  PKEY_SIGNATURE_MAX
 * octets are always enough. */
err_t pkey_sign(const struct pkey *k, const void *message, size_t len, struct buf *out);
const char *pkey_jws_alg(const struct pkey *k); /* "RS256" and so on */

/* The numbers of a JWK (RFC 7518 6, RFC 8037 2), each as long as it is to be encoded. */
struct pkey_numbers {
	const char *kty, *crv; /* "RSA", "EC", "OKP"; crv is NULL for RSA */
	uint8_t n_or_x[PKEY_NUMBER_MAX], e_or_y[PKEY_NUMBER_MAX];
	size_t n_or_x_len, e_or_y_len; /* no y for Ed25519: 0 */
};
err_t pkey_numbers(const struct pkey *k, struct pkey_numbers *out);
