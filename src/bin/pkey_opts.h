/* bin/pkey_opts.h -- the kind of a private key, as two options give it: a type and a number of bits. */
#pragma once

#include "crypto/pkey.h"

struct pkey_opts {
	const char *type; /* NULL: it was not given */
	unsigned bits;    /* 0: likewise */
	/* what they come to */
	enum pkey_kind kind;
	unsigned rsa_bits;
};

/* Bits alone mean RSA; without both, the kind is `without`.  Returns what is wrong, for people; NULL: nothing is. */
const char *pkey_opts_settle(struct pkey_opts *o, enum pkey_kind without);
