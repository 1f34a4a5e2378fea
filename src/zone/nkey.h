/* zone/nkey.h -- a domain name as a key whose octets sort in canonical order (RFC 4034 6.1).
 *
 * Labels from the root down; each octet of a label, lower-cased, becomes one or two small numbers
 * (below NKEY_NUMBERS, so that a branch of the trie is one bit of a word), and each label ends with
 * NKEY_END, the smallest.  So a name's key begins with the key of each of its ancestors, and comparing keys
 * octet by octet is comparing names.  The common characters of host names take one number, others two.
 * (The idea is Tony Finch's, in his notes on qp-tries for DNS.)
 *
 * A key borrows the name that it was made of: the name must not change while the key is in use.
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
	/* Octets of labels and their length octets are 254 at most (RFC 1035 2.3.4; the root label is the 255th).  An
	 * octet gives up to 2 numbers, a label's end gives 1; 254 octets are at least 4 labels, as a label has
	 * up to 63.  So at most 2 * (254 - 4) + 4 = 504 numbers. */
	NKEY_MAX = 504,
	NKEY_ROOM = 16,    /* behind a key: it is written 16 octets at a time */
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

/* Numbers of the key of the suffix that has `labels` labels: the key begins with that many. */
size_t nkey_suffix_len(const struct nkey *key, unsigned labels);

/* The key of a name below another, from `from` on alone: `from` is the length of the other's key, and only the first
 * `n` octets of `name` are not the other's.  For lookups in a subtree of what is below the other (trie_subtree()):
 * at[0, from) is not set, nor is label_at. */
void nkey_set_below(struct nkey *key, size_t from, const uint8_t *name, size_t name_len, size_t n);

/* The number at `i`; NKEY_NONE past the end. */
static inline unsigned
nkey_at(const struct nkey *key, size_t i)
{
	return i < key->len ? key->at[i] : NKEY_NONE;
}

/* Octets [0, n) of two uncompressed names alike, but for case? */
bool nkey_octets_are_equal(const uint8_t *a, const uint8_t *b, size_t n);

/* Is the name (of `len` octets) the one of the key?  A proper ancestor of it? */
bool nkey_is_name(const struct nkey *key, const uint8_t *name, size_t len);
bool nkey_is_below(const struct nkey *key, const uint8_t *ancestor, size_t len);

/* Where the keys of two names part: the first number that differs.  False when they are equal. */
struct nkey_parting {
	size_t at;
	unsigned ours, theirs; /* the numbers there; one may be NKEY_NONE */
};
bool nkey_has_parting(const struct nkey *key, const uint8_t *name, struct nkey_parting *out);
