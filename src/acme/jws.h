/* acme/jws.h -- signed requests: JWS with flattened JSON (RFC 7515 7.2.2), as ACME has them (RFC 8555 6.2), and names of keys.
 *
 * Pure, but for random numbers that OpenSSL takes for ECDSA.  Errors: E_CRYPTO, E_NOMEM, E_UNSUPPORTED (a key that JWS has no algorithm
 * for).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct pkey;

enum { ACME_THUMBPRINT_LEN = 43 }; /* octets of a SHA-256 in base64url */

/* The public part of a key as a JWK, with its members in the order of RFC 7638 3.2. */
err_t acme_jwk(const struct pkey *key, struct str *out);

/* RFC 7638: base64url of the SHA-256 of the JWK. */
err_t acme_thumbprint(const struct pkey *key, char out[ACME_THUMBPRINT_LEN + 1]);

/* Texts without '"', '\' and control characters, except kid of an outer account. */
struct acme_jws {
	const char *nonce;
	const char *url;
	const char *kid;     /* URL of the account; NULL: the header has the key itself (jwk) */
	const char *payload; /* "": a POST-as-GET */
	size_t payload_len;
};

err_t acme_jws_sign(const struct pkey *key, const struct acme_jws *jws, struct str *out);

/* External account binding (RFC 8555 7.3.4): the account's key, signed with a key that the CA has given out (HS256). */
struct acme_binding {
	const char *kid;
	const uint8_t *key;
	size_t key_len;
	const char *url;     /* of newAccount */
};

err_t acme_jws_bind(const struct pkey *key, const struct acme_binding *binding, struct str *out);

/* What a dns-01 record says (RFC 8555 8.4): base64url of the SHA-256 of the key authorization. */
err_t acme_dns_value(const char *token, const char *thumbprint, char out[ACME_THUMBPRINT_LEN + 1]);

void acme_put_base64url(struct str *out, const void *octets, size_t n);
