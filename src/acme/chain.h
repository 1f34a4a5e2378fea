/* acme/chain.h -- what a CA hands out in the end: a certificate with its chain, compared with what was asked for.
 *
 * Pure.  A chain owns its certificates; empty when zeroed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/x509.h"

enum {
	ACME_CHAIN_CERTS_MAX = 1 + CHAIN_MAX,
	ACME_CLOCK_SKEW_S = 600, /* by which a CA's clock may be ahead of ours: so much later a certificate may begin */
};

struct acme_chain {
	struct cert *certs[ACME_CHAIN_CERTS_MAX]; /* the certificate first, each signed by the next */
	size_t n;
};

struct acme_chain_wish {
	const struct pkey *key;       /* of the CSR */
	const char *const *names;     /* of the CSR */
	size_t names_n;
	uint64_t now_s;
};

/* E_AUTH: the chain is not what was asked for, or not a chain, and `why` is a static phrase; else as certs_read_pem(). */
err_t acme_chain_read(const struct acme_chain_wish *wish, const char *pem, size_t len, struct acme_chain *out, const char **why);
void acme_chain_fini(struct acme_chain *c);
