/* zone/nkey.h -- a domain name as a key whose octets sort in canonical order (RFC 4034 6.1).
 *
 * A key has the labels from the root down.  Each octet of a label, in lower case, becomes one or two small numbers (below
 * NKEY_NUMBERS, so that a branch of the trie is one bit of a word), and each label ends with NKEY_END, the smallest.  So a
 * name's key begins with the key of each of its ancestors, and comparing keys octet by octet compares names.  The common
 * characters of host names take one number, others two.  (The idea is Tony Finch's, from his notes on qp-tries for DNS.)
 *
 * A key borrows its name: the name must not change while the key is in use.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/name.h"

enum {
	NKEY_NONE = 0,     /* past the end of a key: an ancestor sorts before what is below it */
	NKEY_END = 1,      /* ends a label */
	NKEY_NUMBERS = 48, /* numbers are below this */
	/* Labels with their length octets take 254 octets at most (RFC 1035 2.3.4; the root label is the 255th).  An octet of a
	 * label becomes up to 2 numbers, the end of a label 1. 254 octets are at least 4 labels, since a label has at most 63.
	 * So there are at most 2 * (254 - 4) + 4 = 504 numbers. */
	NKEY_MAX = 504,
	NKEY_ROOM = 16,    /* room after a key, because it is written 16 octets at a time */
};

struct nkey {
	const uint8_t *name; /* borrowed */
	uint16_t len;        /* numbers in `at` */
	uint8_t name_len;    /* octets of the name */
	uint8_t labels;      /* without the root label */
	uint8_t label_at[NAME_LABELS_MAX]; /* where each label is in the name, leftmost first */
	uint8_t at[NKEY_MAX + NKEY_ROOM];
};

void nkey_set(struct nkey *key, const uint8_t *name);

/* Length of the key of the suffix with `labels` labels: the key begins with that many numbers. */
size_t nkey_suffix_len(const struct nkey *key, unsigned labels);

/* Makes the key of a name below another name, but only from `from` on.  `from` is the length of the other name's key; only the
 * first `n` octets of `name` are not part of the other name.  For lookups in the subtree below the other name (trie_subtree()):
 * at[0, from), labels and label_at are not set. */
void nkey_set_below(struct nkey *key, size_t from, const uint8_t *name, size_t name_len, size_t n);

/* The number at `i`; NKEY_NONE past the end. */
static inline unsigned
nkey_at(const struct nkey *key, size_t i)
{
	return i < key->len ? key->at[i] : NKEY_NONE;
}

/* True when octets [0, n) of two uncompressed names are equal, ignoring case. */
bool nkey_octets_are_equal(const uint8_t *a, const uint8_t *b, size_t n);

/* True when the name (of `len` octets) is the name of the key. */
bool nkey_is_name(const struct nkey *key, const uint8_t *name, size_t len);

/* True when the name of the key is below `ancestor` (a name of `len` octets). */
bool nkey_is_below(const struct nkey *key, const uint8_t *ancestor, size_t len);

/* The first place where the keys of two names differ.  False: they are equal. */
struct nkey_parting {
	size_t at;
	unsigned ours, theirs; /* the numbers there; one may be NKEY_NONE */
};
bool nkey_has_parting(const struct nkey *key, const uint8_t *name, struct nkey_parting *out);
