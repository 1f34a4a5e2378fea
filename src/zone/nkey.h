/* zone/nkey.h -- a domain name as a key whose octets sort in canonical order (RFC 4034 6.1).
 *
 * Labels from the root down; each octet of a label, lower-cased, becomes one or two small numbers
 * (below 64, so that a branch of the trie is one bit of a word), and each label ends with NKEY_END,
 * the smallest.  So a name's key begins with the key of each of its ancestors, and comparing keys octet by octet is
 * comparing names.  The common characters of host names take one number, others two.
 * (The idea is Tony Finch's, in his notes on qp-tries for DNS.)
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	NKEY_END = 1,   /* ends a label */
	NKEY_NONE = 0,  /* past the end of a key: an ancestor sorts before what is below it */
	NKEY_MAX = 512, /* 2 a label octet at most, 1 a label end: at most 2 * 254 */
};

struct nkey {
	uint16_t len;
	uint8_t at[NKEY_MAX];
};

void nkey_set(struct nkey *key, const uint8_t *name);

/* The number at `i`; NKEY_NONE past the end. */
static inline unsigned
nkey_at(const struct nkey *key, size_t i)
{
	return i < key->len ? key->at[i] : NKEY_NONE;
}
