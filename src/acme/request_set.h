/* acme/request_set.h -- signing requests and certificates in DNS: the TLSA RRset of _letsencrypt._tcp.HOST.
 *
 *     3 255 0    the signing request (DER, crypto/csr.h)
 *     3 0 0      the certificate (crypto/x509.h)
 *     0 0 0      a certificate of the chain above it
 *
 * Records of an RRset have no order, and may come from anybody who may update the name.
 *
 *     struct acme_set s = { 0 };
 *     acme_set_add(&s, rdata, len); // for each record
 *     c = acme_set_find(&s, s.request, valid);
 *
 * Pure.  Names are in wire form, HOST is without a wildcard.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/csr.h"
#include "crypto/x509.h"
#include "dns/name.h"

/* ---- names; E_NAMELEN: they would be too long ---- */

err_t acme_tlsa_name(const uint8_t *host, struct name *out);   /* _letsencrypt._tcp.HOST: where the RRset is */
err_t acme_status_name(const uint8_t *host, struct name *out); /* _status._letsencrypt._tcp.HOST: TXT, why there is no certificate yet */

/* Where the CA looks for the proof of a name (RFC 8555 8.4), or for a lasting one; a leading "*" is left out (RFC 8555 7.1.3). */
err_t acme_challenge_name(const uint8_t *name, struct name *out); /* _acme-challenge.NAME */
err_t acme_persist_name(const uint8_t *name, struct name *out);   /* _validation-persist.NAME */

/* HOST of an owner _letsencrypt._tcp.HOST, as a part of it; NULL: the owner is another name. */
const uint8_t *acme_tlsa_host(const uint8_t *owner);

/* What a TLSA record is, by its first three octets. */
enum acme_use { ACME_OTHER, ACME_REQUEST, ACME_CERT, ACME_CHAIN };
enum { ACME_DER_AT = 3 }; /* where the DER begins in the RDATA */
enum acme_use acme_tlsa_use(const uint8_t *rdata, size_t len);

/* ---- what the RRset says ---- */

/* Records that are looked at, of each use.  A set with more is of no use to anybody, but nobody spends much time on it. */
enum { ACME_CERTS_MAX = 16, ACME_CHAIN_RECORDS_MAX = 32 };

/* Empty when zeroed. */
struct acme_set {
	struct csr *request;  /* owned; NULL: there is none, or none that can be read, or there are several */
	unsigned requests_n;  /* records with a request */
	err_t request_err;    /* of csr_read() for the last of these that cannot be read */
	struct cert *cert[ACME_CERTS_MAX], *chain[ACME_CHAIN_RECORDS_MAX]; /* owned */
	size_t cert_n, chain_n;
	unsigned left_out_n;  /* certificates that cannot be read, and those beyond the limits */
};

void acme_set_add(struct acme_set *s, const uint8_t *rdata, size_t len); /* TLSA records of any use */
void acme_set_fini(struct acme_set *s); /* ready to be used again */

struct acme_span {
	int64_t from_s, until_s; /* since 1970 */
};

/* True for a certificate with the request's key and all its names that is valid for the whole span. */
bool acme_cert_fits(const struct cert *c, const struct csr *request, struct acme_span valid);

/* Of several certificates that fit, the one that expires last; NULL: none fits. */
const struct cert *acme_set_find(const struct acme_set *s, const struct csr *request, struct acme_span valid);

/* Those that fit for a service that looks at them now and then: they are valid from now until tomorrow at least, or, where they live less
 * than four days, until a quarter of their lifetime from now.  The one that expires last comes first.  Returns how many there are. */
size_t acme_set_find_lasting(const struct acme_set *s, const struct csr *request, int64_t now_s, const struct cert *out[ACME_CERTS_MAX]);

/* True when two requests ask for the same: their keys and their names are equal. */
bool acme_request_is_same(const struct csr *a, const struct csr *b);

/* The first name of the request that is neither HOST nor below it, a wildcard being below its parent; NULL: there is none. */
const char *acme_request_outside(const struct csr *request, const uint8_t *host);
