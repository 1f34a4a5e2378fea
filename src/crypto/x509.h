/* crypto/x509.h -- certificates (RFC 5280): what is in one, who has issued it, chains, PEM.
 *
 * A certificate is read from octets of strangers, with limits.  Nobody has verified it: a chain says that each certificate is signed by the
 * next one, and whether the last one is trusted is for the clients of the service to decide.  Pure: time is an argument.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "crypto/host_names.h"
#include "crypto/pkey.h"

enum {
	CERT_DER_MAX = 48 << 10,   /* with a hundred of the longest names, its own and those of limits set by its CA */
	CERT_SERIAL_MAX = 32,      /* RFC 5280 4.1.2.2: 20, but longer ones exist */
	CERT_KEY_ID_MAX = 64,
	CERT_ISSUER_MAX = 128,
	CHAIN_MAX = 8,             /* certificates above the first one */
};

struct cert {
	struct host_names names;  /* of the subjectAltName; those that are no host names are left out */
	int64_t not_before_s, not_after_s; /* since 1970 */
	struct pkey *key;         /* owned; NULL: one that pkey.h does not have */
	bool is_ca;
	uint8_t serial[CERT_SERIAL_MAX]; /* content octets of the DER, as RFC 9773 4.1 wants them */
	size_t serial_len;
	uint8_t key_id[CERT_KEY_ID_MAX]; /* of the key that has signed it (AuthorityKeyIdentifier) */
	size_t key_id_len;        /* 0: it has none */
	char issuer[CERT_ISSUER_MAX]; /* the issuer's common name, else its organization, cut; "?" for what is not printable ASCII */
	const uint8_t *der;       /* owned */
	size_t der_len;
	/* private */
	void *x509;
};

/* E_FORMAT; E_LIMIT: too long, or too many names. */
err_t cert_read(const uint8_t *der, size_t len, struct cert **out);
void cert_free(struct cert **c); /* NULL-safe; serves as a cleanup handler */

bool cert_is_equal(const struct cert *a, const struct cert *b);

/* By name, by key identifier, and by its signature; `ca` is a CA's. */
bool cert_is_issued_by(const struct cert *c, const struct cert *ca);

/* Finds the certificates above `leaf` among the `others`, which may have no order and nothing to do with it: each is the issuer of the one
 * before.  It ends where none of them is the issuer, or at one that has issued itself.  Of several issuers, one that has not expired at
 * `now_s` is preferred, then the one that expires last.  No certificate of the others, or CHAIN_MAX: *n is that many. */
void chain_order(const struct cert *leaf, struct cert *const *others, size_t others_n, int64_t now_s, const struct cert *chain[CHAIN_MAX],
                 size_t *n);

/* Appends "-----BEGIN CERTIFICATE-----" and so on. */
void cert_put_pem(const struct cert *c, struct str *out);

/* Reads all certificates of a PEM text into certs[0, *n), which the caller frees, also after an error.  Other texts between them are passed
 * over.  E_LIMIT: over PEM_TEXT_MAX octets (crypto/pem.h), or more than `cap` certificates; E_NOTFOUND: none; else as cert_read(). */
err_t certs_read_pem(const char *text, size_t len, struct cert **certs, size_t cap, size_t *n);
