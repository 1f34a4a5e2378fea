/* crypto/csr.h -- signing requests: PKCS#10 (RFC 2986) with host names.
 *
 * A request is read from octets of strangers: its size, names and key have limits, and its signature is verified.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/host_names.h"
#include "crypto/pkey.h"

/* A hundred of the longest names take 25,800 octets; so a request fits into a record, and into an UPDATE with it. */
enum { CSR_DER_MAX = 32 << 10 };

struct csr {
	struct host_names names; /* the common name and the subjectAltName; at least one */
	struct pkey *key;        /* owned; the public one */
	const uint8_t *der;      /* owned */
	size_t der_len;
};

/* Signs a request for these names, with subjectAltName alone (RFC 8555 7.4 wants no more).  CSR_DER_MAX octets are always enough. */
err_t csr_make(const struct pkey *key, const struct host_names *names, struct buf *der);

/* E_FORMAT; E_LIMIT: too long, or too many names; E_NOTFOUND: no name; E_UNSUPPORTED: a key that pkey.h does not have, or a name that is no
 * host name; E_AUTH: the signature is not the key's. */
err_t csr_read(const uint8_t *der, size_t len, struct csr **out);
void csr_free(struct csr **c); /* NULL-safe; serves as a cleanup handler */
