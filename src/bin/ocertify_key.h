/* bin/ocertify_key.h -- the private key and the signing request of ocertify, in their files.
 *
 * A key that replaces another one is in KEY.next until its certificate is there (bin/ocertify_pair.h): the service that uses the old pair
 * may be started again meanwhile.
 */
#pragma once

#include "bin/ocertify_opts.h"
#include "crypto/csr.h"

struct ocertify_key {
	struct pkey *key;    /* owned */
	struct csr *request; /* owned */
	bool is_next;        /* the key is in KEY.next */
	bool is_new_next;    /* and was made by this run */
	bool is_next_stale;  /* there is a KEY.next, and the key is not that one */
};

/* `wanted`: the key of --seed or --data; NULL: neither was given.  `in_dns`: the signing request there; NULL: none.  Reads or makes key and
 * request.  The reason for an error was printed.
 *
 * A KEY.next may be there that a run has left behind whose request never came into DNS, or that the command line does not mean: then KEY
 * counts, if that is what the command line wants and what DNS has a request for. */
err_t ocertify_key_prepare(const struct ocertify_opts *o, const struct pkey *wanted, const struct csr *in_dns, struct ocertify_key *out);

/* Removes the KEY.next that this run has made, because nobody has heard of that key. */
void ocertify_key_take_back(const struct ocertify_opts *o, struct ocertify_key *k);

/* Removes a KEY.next that does not count any more, because there is a request for another key. */
void ocertify_key_drop_stale(const struct ocertify_opts *o, struct ocertify_key *k);

/* E_NOTFOUND: there is no such file; after other errors the reason was printed. */
err_t ocertify_key_read(const char *path, struct pkey **out);

void ocertify_key_fini(struct ocertify_key *k);
