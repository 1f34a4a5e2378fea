/* bin/ocertify_deliver.h -- writes the certificate with its chain, and runs the renew hook. */
#pragma once

#include <stddef.h>

#include "bin/ocertify_key.h"
#include "crypto/x509.h"

/* Pointers are borrowed. */
struct ocertify_found {
	const struct cert *cert; /* NULL: none fits */
	const struct cert *chain[CHAIN_MAX];
	size_t chain_n;
};

/* Says what it did, and returns the exit status. */
int ocertify_deliver(const struct ocertify_opts *o, struct ocertify_key *k, const struct ocertify_found *f);
