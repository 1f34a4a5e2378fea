/* zone/trie.h -- ordered map from domain names to values, copy-on-write: a qp-trie.
 *
 * A struct trie is one immutable version; copying the struct copies the reference.  A transaction
 * starts from a version, copies only the branches on the paths that it changes, and yields a new version; the
 * old one stays as it was until its owner frees what the transaction put on the garbage list.
 *
 * Values are objects of the caller's.  Each holds its own name, uncompressed, at the fixed offset
 * `name_at` octets from its start, and in the octet before it the name's length (as struct name does);
 * from it the key is derived again when needed.  The trie never frees a value.  Names are unique, without
 * regard to case.
 *
 * A cell is a leaf (word 0) or a branch.  A branch says at which place of the key its twigs part
 * (bits 48 and up) and which numbers they have there (bits 0 to 47); the twigs stand in an array in the
 * order of these numbers.  All keys below a branch agree before its place, so an ancestor of them
 * all can only be its twig NKEY_NONE.  Skipped places are checked once, against the leaf that was found.
 *
 * Threads: a published version may be read by any number of threads without locks.  One
 * transaction at a time over a line of versions.
 * Cost: lookup O(length of the key) worst, commonly under ten branches; put and remove copy the path,
 * each branch once in a transaction, after which it is changed in place.
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
	size_t octets;         /* that its branches take, also those that it shares with other versions */
	uint64_t gen;          /* of the transaction that made it */
	uint16_t name_at;      /* where a value's name is, octets from its start */
};

void trie_init(struct trie *t, size_t name_at); /* name_at >= 1 */

/* Frees the branches of a version that shares them with no other (after its garbage was freed).
 * `free_value` is called for each value, in order; NULL: they stay. */
void trie_fini(struct trie *t, void (*free_value)(void *ctx, void *value), void *ctx);

void *trie_get(const struct trie *t, const struct nkey *key); /* NULL when it is not there */

/* The part of the trie that holds a value's name and all names below it: `key`'s first `len` numbers are that name's
 * key (nkey_suffix_len()), and it is there.  Lookups in it need only the rest of a key (nkey_set_below()); `n`: octets
 * of the name that the rest is made of. */
const struct trie_cell *trie_subtree(const struct trie *t, const struct nkey *key, size_t len);
void *trie_get_below(const struct trie *t, const struct trie_cell *subtree, const struct nkey *key, size_t n);

/* Lookup with all existing ancestors, in one descent. */
enum { TRIE_ANCESTORS_MAX = 127 };
struct trie_path {
	void *exact;                        /* the value at the name itself, or NULL */
	unsigned n;
	void *ancestor[TRIE_ANCESTORS_MAX]; /* values at proper ancestors, topmost first; [0, n) set */
};
void trie_lookup(const struct trie *t, const struct nkey *key, struct trie_path *out);

/* Greatest value whose name is at or before the key in canonical order; NULL when there is none.
 * For NSEC and NSEC3 the caller wraps around with trie_last(). */
void *trie_at_or_before(const struct trie *t, const struct nkey *key);
void *trie_before(const struct trie *t, const struct nkey *key); /* strictly before it */
void *trie_first(const struct trie *t);
void *trie_last(const struct trie *t);

/* Iteration in canonical order.  The version must outlive it. */
enum { TRIE_DEPTH_MAX = NKEY_MAX };
struct trie_iter {
	unsigned depth;
	struct {
		const struct trie_cell *cells; /* twigs of a branch */
		unsigned next, n;              /* twig to visit next; how many there are */
	} at[TRIE_DEPTH_MAX + 1];
};
void trie_iter_first(struct trie_iter *it, const struct trie *t);
void trie_iter_seek(struct trie_iter *it, const struct trie *t, const struct nkey *key); /* at or after key */
void *trie_iter_next(struct trie_iter *it); /* NULL at the end */

/* For walking two versions side by side, after both have given the same value: what they share from there on is passed
 * over (values after it in the same array of twigs, and in those above it).  So the walk costs what differs. */
void trie_iter_skip_shared(struct trie_iter *a, struct trie_iter *b);

/* Where the value given last is kept: `ptr` may be set to another value of the same name by whoever has the trie to
 * himself; good until a name comes or goes. */
static inline struct trie_cell *
trie_iter_cell(const struct trie_iter *it)
{
	return (struct trie_cell *)(uintptr_t)&it->at[it->depth - 1].cells[it->at[it->depth - 1].next - 1];
}

struct trie_txn {
	struct trie now;         /* the version in the making; may be read at any time */
	struct garbage replaced; /* branches of the old version, handed out by trie_commit() */
};

void trie_begin(struct trie_txn *txn, const struct trie *from);

/* Adds a value under its own name, or replaces the one there.  *old: what was there, or NULL. */
err_t trie_put(struct trie_txn *txn, void *value, void **old); /* E_NOMEM: nothing changed */

/* Adds a value under its name, which is the key's; E_EXISTS when that is there: nothing changed. */
err_t trie_add(struct trie_txn *txn, const struct nkey *key, void *value);

/* Brings into the cache what adding these names will touch.  In a large trie that is the time that it takes, and so
 * the waits for several names overlap. */
enum { TRIE_WARM_MAX = 16 };
void trie_warm(const struct trie *t, const struct nkey *keys, size_t n);

/* Makes all on the way to a name, which may be missing, the transaction's own: from then on it can be replaced and removed without
 * memory.  E_NOMEM: nothing changed that anybody can see. */
err_t trie_claim(struct trie_txn *txn, const struct nkey *key);

/* The value, or NULL.  Cannot fail: the name was claimed, or put in this transaction. */
void *trie_remove(struct trie_txn *txn, const struct nkey *key);

/* The new version; what it replaced is added to `garbage`.  Cannot fail. */
struct trie trie_commit(struct trie_txn *txn, struct garbage *garbage);
void trie_rollback(struct trie_txn *txn); /* frees what only the transaction had; values are the caller's */
