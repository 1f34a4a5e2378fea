/* tests/unit/counted.h -- counts what costs while requests are answered; included by one file of a program that is linked with --wrap (see
 * meson.build). */
#pragma once

#include <stdlib.h>

#include "auth/reply.h"
#include "count.h"
#include "crypto/hmac.h"
#include "crypto/sha.h"
#include "zone/history.h"
#include "zone/trie.h"

static struct cost {
	unsigned allocations, lookups, hashes, written, hmacs, worked_out;
	size_t hash_blocks, hmac_octets;
} cost;

COUNTED(allocations, void *, malloc, (size_t size), (size))
COUNTED(allocations, void *, calloc, (size_t n, size_t size), (n, size))
COUNTED(allocations, void *, realloc, (void *old, size_t size), (old, size))
COUNTED(lookups, void *, trie_get, (const struct trie *t, const struct nkey *key), (t, key))
COUNTED(lookups, void *, trie_get_below, (const struct trie *t, const struct trie_cell *s, const struct nkey *key, size_t n), (t, s, key, n))
COUNTED(lookups, void *, trie_at_or_before, (const struct trie *t, const struct nkey *key), (t, key))
COUNTED(lookups, void *, trie_before, (const struct trie *t, const struct nkey *key), (t, key))
COUNTED(lookups, void *, trie_last, (const struct trie *t), (t))
COUNTED_VOID(lookups, trie_lookup, (const struct trie *t, const struct nkey *key, struct trie_path *out), (t, key, out))
COUNTED(written, bool, reply_add, (struct reply *r, const struct reply_rrset *what), (r, what))
COUNTED(written, bool, reply_add_plain, (struct reply *r, enum section s, uint16_t at, const struct rrset *set), (r, s, at, set))
COUNTED(hmacs, err_t, hmac_begin, (enum hmac_alg alg, const uint8_t *key, size_t len, struct hmac **out), (alg, key, len, out))
COUNTED(worked_out, err_t, history_from, (const struct zone *z, uint32_t serial, const struct delta ***list, size_t *n), (z, serial, list, n))
COUNTED(worked_out, err_t, history_condense, (const struct delta *const *list, size_t n, struct delta **out), (list, n, out))

err_t __real_hmac_update(struct hmac *h, const void *bytes, size_t n);
err_t __wrap_hmac_update(struct hmac *h, const void *bytes, size_t n);
err_t
__wrap_hmac_update(struct hmac *h, const void *bytes, size_t n)
{
	cost.hmac_octets += n;
	return __real_hmac_update(h, bytes, n);
}

err_t __real_nsec3_hash(const uint8_t *name, size_t len, const uint8_t *salt, size_t salt_len, uint16_t rounds, uint8_t out[20]);
err_t __wrap_nsec3_hash(const uint8_t *name, size_t len, const uint8_t *salt, size_t salt_len, uint16_t rounds, uint8_t out[20]);
err_t
__wrap_nsec3_hash(const uint8_t *name, size_t len, const uint8_t *salt, size_t salt_len, uint16_t rounds, uint8_t out[20])
{
	cost.hashes++;
	cost.hash_blocks += nsec3_hash_blocks(len, salt_len, rounds);
	return __real_nsec3_hash(name, len, salt, salt_len, rounds, out);
}
