/* zone/trie.h -- an ordered map from domain names to values, copy-on-write: a qp-trie.
 *
 * A struct trie is one immutable version; copying the struct copies the reference.  A transaction starts from a version, copies
 * only the branches on the paths that it changes, and makes a new version.  The old version stays as it is until its owner frees
 * the memory that the transaction put on the garbage list.
 *
 * Values are objects of the caller.  Each has its own name, uncompressed, at the fixed offset `name_at` from its start, and the
 * name's length in the octet before it (as struct name has); the key is computed from it when needed.  The trie never frees a
 * value.  Names are unique, without regard to case.
 *
 * A cell is a leaf (word 0) or a branch.  A branch says at which place of the key its twigs differ (bits 48 and up) and which
 * numbers they have there (bits 0 to 47); the twigs are in an array in the order of these numbers.  All keys below a branch are
 * equal before its place, so a name that is an ancestor of them all can only be its twig NKEY_NONE.  Places that branches skip
 * are checked once, against the leaf that was found.
 *
 * Threads: any number of threads may read a published version without locks.  There is one transaction at a time for a sequence
 * of versions.
 * Cost: lookup O(length of the key) at worst, usually under ten branches; put and remove copy the path, each branch once in a
 * transaction, after which it is changed in place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "zone/garbage.h"
#include "zone/nkey.h"

struct trie_cell { /* a branch or a leaf; private to trie*.c */
	uint64_t word;
	void *ptr;
};

struct trie {
	struct trie_cell root; /* all zero: empty */
	size_t n;              /* values in it */
	size_t octets;         /* memory of its branches, including those shared with other versions */
	uint64_t gen;          /* generation of the transaction that made it */
	uint16_t name_at;      /* offset of the name in a value */
};

void trie_init(struct trie *t, size_t name_at); /* name_at >= 1 */

/* Frees the branches of a version that shares none with another version (after its garbage was freed).  `free_value` is called
 * for each value, in order; NULL: the values stay. */
void trie_fini(struct trie *t, void (*free_value)(void *ctx, void *value), void *ctx);

void *trie_get(const struct trie *t, const struct nkey *key); /* NULL: the name is not there */

/* The part of the trie with a name and all names below it.  The first `len` numbers of `key` are that name's key
 * (nkey_suffix_len()); the name must be there.  Lookups in this part need only the rest of a key (nkey_set_below()), which is
 * made from the first `n` octets of the name. */
const struct trie_cell *trie_subtree(const struct trie *t, const struct nkey *key, size_t len);
void *trie_get_below(const struct trie *t, const struct trie_cell *subtree, const struct nkey *key, size_t n);

/* Lookup of a name with all its existing ancestors, in one descent. */
enum { TRIE_ANCESTORS_MAX = 127 };
struct trie_path {
	void *exact;                        /* the value at the name itself, or NULL */
	unsigned n;
	void *ancestor[TRIE_ANCESTORS_MAX]; /* values at proper ancestors, topmost first; [0, n) set */
};
void trie_lookup(const struct trie *t, const struct nkey *key, struct trie_path *out);

/* The last value whose name is at or before the key in canonical order; NULL: there is none.  For NSEC3 the caller wraps around with
 * trie_last(). */
void *trie_at_or_before(const struct trie *t, const struct nkey *key);
void *trie_before(const struct trie *t, const struct nkey *key); /* strictly before the key */
void *trie_first(const struct trie *t);
void *trie_last(const struct trie *t);

/* Iteration in canonical order.  The version must outlive the iterator. */
enum { TRIE_DEPTH_MAX = NKEY_MAX };
struct trie_iter {
	unsigned depth;
	struct {
		const struct trie_cell *cells; /* twigs of a branch */
		unsigned next, n;              /* twig to visit next; number of twigs */
	} at[TRIE_DEPTH_MAX + 1];
};
void trie_iter_first(struct trie_iter *it, const struct trie *t);
void trie_iter_seek(struct trie_iter *it, const struct trie *t, const struct nkey *key); /* at or after key */
void *trie_iter_next(struct trie_iter *it); /* NULL at the end */

/* For walking two versions side by side, after both iterators have given the same value: skips the shared values that follow
 * (those after it in the same array of twigs, and in arrays above it).  So the walk costs what differs. */
void trie_iter_skip_shared(struct trie_iter *a, struct trie_iter *b);

/* The cell of the value that trie_iter_next() has given last; valid until a name is added or removed.  Only a caller that has the
 * trie to itself may set its `ptr`, and only to another value of the same name. */
static inline struct trie_cell *
trie_iter_cell(const struct trie_iter *it)
{
	return (struct trie_cell *)(uintptr_t)&it->at[it->depth - 1].cells[it->at[it->depth - 1].next - 1];
}

struct trie_txn {
	struct trie now;         /* the new version so far; may be read at any time */
	struct garbage replaced; /* branches that only the old version uses, for trie_commit() */
};

void trie_begin(struct trie_txn *txn, const struct trie *from);

/* Adds a value under its own name, or replaces the value there.  *old: the replaced value, or NULL. */
err_t trie_put(struct trie_txn *txn, void *value, void **old); /* E_NOMEM: nothing changed */

/* Adds a value under its name, which must be the key's.  E_EXISTS: the name is there already, and nothing changed. */
err_t trie_add(struct trie_txn *txn, const struct nkey *key, void *value);

/* Fetches the memory that adding these names will touch into the cache.  In a large trie this is most of the time, and here the
 * waits for several names overlap. */
enum { TRIE_WARM_MAX = 16 };
void trie_warm(const struct trie *t, const struct nkey *keys, size_t n);

/* Makes all branches on the path to a name the transaction's own: from then on its value can be replaced and removed without memory.
 * Does nothing if the name is not there.  E_NOMEM: nothing changed that anybody can see. */
err_t trie_claim(struct trie_txn *txn, const struct nkey *key);

/* Removes and returns the value, or NULL.  Cannot fail: the name must have been claimed, or put in this transaction. */
void *trie_remove(struct trie_txn *txn, const struct nkey *key);

/* Makes the new version; memory that only the old version uses is added to `garbage`.  Cannot fail. */
struct trie trie_commit(struct trie_txn *txn, struct garbage *garbage);
void trie_rollback(struct trie_txn *txn); /* frees the transaction's own branches; values belong to the caller */
