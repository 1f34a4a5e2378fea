/* zone/trie_p.h -- the private header of trie*.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/trie.h"

/* Only the transaction with the same generation may change an array of twigs in place: any other version may share it. 64 bits
 * do not wrap around. */
struct twigs {
	uint64_t gen;
	struct trie_cell cell[];
};

enum { PLACE_SHIFT = 48 };
#define BIT(number) (UINT64_C(1) << (number))
#define NUMBERS_MASK (BIT(NKEY_NUMBERS) - 1)

_Static_assert(NKEY_NUMBERS <= (int)PLACE_SHIFT && NKEY_MAX < BIT(64 - PLACE_SHIFT), "a branch is one word");

/* Counting bits is most of the work of a step down the trie. x86-64 has had an instruction for it since 2008, but we must not
 * assume that it is there.  So lookups are compiled twice, and the dynamic linker chooses the version for the machine.  (Not with
 * sanitizers, which are not ready yet at that time.) */
#if defined(__x86_64__) && !defined(__POPCNT__) && !defined(__SANITIZE_ADDRESS__) && \
        !defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define HOT [[gnu::target_clones("default", "popcnt")]]
#else
#define HOT
#endif

static inline unsigned
count_bits(uint64_t x)
{
	return (unsigned)__builtin_popcountll(x);
}

static inline bool
is_branch(const struct trie_cell *c)
{
	return c->word != 0;
}

static inline size_t
place(const struct trie_cell *c)
{
	return c->word >> PLACE_SHIFT;
}

static inline bool
has_twig(const struct trie_cell *c, unsigned number)
{
	return (c->word >> number & 1) != 0;
}

/* How many twigs have lower numbers. */
static inline unsigned
index_of(const struct trie_cell *c, unsigned number)
{
	return count_bits(c->word & (BIT(number) - 1));
}

/* The twig of a number, or NULL.  The word is shifted so that the number's bit is the highest: that bit tells whether the twig
 * is there, and the count of bits is one more than its index. */
static inline const struct trie_cell *
twig_of(const struct trie_cell *c, unsigned number)
{
	uint64_t up_to = c->word << (63 - number);
	const struct twigs *t = c->ptr;
	return (int64_t)up_to < 0 ? &t->cell[count_bits(up_to) - 1] : NULL;
}

static inline unsigned
twigs_n(const struct trie_cell *c)
{
	return count_bits(c->word & NUMBERS_MASK);
}

static inline struct trie_cell *
twig(const struct trie_cell *c, unsigned i)
{
	struct twigs *t = c->ptr;
	return &t->cell[i];
}

static inline const uint8_t *
value_name(const struct trie *t, const void *value)
{
	return (const uint8_t *)value + t->name_at;
}

static inline size_t
value_name_len(const struct trie *t, const void *value)
{
	return value_name(t, value)[-1];
}

static inline bool
is_at(const struct trie *t, const void *value, const struct nkey *key)
{
	return nkey_is_name(key, value_name(t, value), value_name_len(t, value));
}

/* A leaf that agrees with the key as far as any leaf does.  The trie must not be empty. */
static inline void *
nearest_leaf(const struct trie *t, const struct nkey *key)
{
	const struct trie_cell *c = &t->root;
	while (is_branch(c)) {
		unsigned number = nkey_at(key, place(c));
		c = twig(c, has_twig(c, number) ? index_of(c, number) : 0);
	}
	return c->ptr;
}
