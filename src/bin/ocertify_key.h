/* bin/ocertify_key.h -- the private key and the signing request of ocertify, in their files.
 *
 * A key that replaces another one is in KEY.next until its certificate is there: the service that uses the old pair may be started again
 * meanwhile.
 */
#pragma once

#include "bin/ocertify_opts.h"
#include "crypto/csr.h"

struct ocertify_key {
	struct pkey *key;    /* owned */
	struct csr *request; /* owned */
	bool is_next;        /* the key is in KEY.next */
};

/* `wanted`: the key of --seed or --data; NULL: neither was given.  Reads or makes key and request.  The reason for an error was printed. */
err_t ocertify_key_prepare(const struct ocertify_opts *o, const struct pkey *wanted, struct ocertify_key *out);

/* KEY.next becomes the key, if that is the one. */
err_t ocertify_key_settle(const struct ocertify_opts *o, struct ocertify_key *k);

void ocertify_key_fini(struct ocertify_key *k);
