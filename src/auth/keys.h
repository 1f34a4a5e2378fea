/* auth/keys.h -- the key store.
 *
 * Keys come from `_keys` and `NAME._keys` files, as DNSKEY records with algorithm 161 to 165, and their names say what they may do
 * (auth/key.h).  They are never served.  One immutable store for each published view.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/key.h"
#include "base/alloc.h"
#include "base/diag.h"
#include "base/err.h"
#include "zone/findings.h"

struct secondaries;

enum { KEYS_MAX = 100000 }; /* of all files: more are E_LIMIT */

struct keystore;

/* Builder: add every key, then call keystore_seal(). */
/* `memory`: for the keys themselves, borrowed as long as the store lives; NULL: the heap.  NULL: no memory */
struct keystore *keystore_new(const struct alloc_source *memory);
void keystore_free(struct keystore **ks); /* NULL-safe; wipes the secrets */

/* One DNSKEY record of a keys file.  `within`: the file's domain (NAME of NAME._keys, root for _keys): a
 * key of another domain is a finding.  Findings also: flags, protocol, algorithm, empty or overlong
 * secret, the name twice.  No text of a finding shows the secret; the record in it does (where
 * a finding is, is told by its record), and so does its line in the file: do not print these.  E_LIMIT,
 * E_NOMEM. */
err_t keystore_add(struct keystore *ks, const uint8_t *owner, const uint8_t *within, const uint8_t *rdata,
                   uint16_t rdlen, struct findings *out);

/* A key from elsewhere, whose name is NAME:ALG:SECRET's (tsig_key_parse()); its name need not have an operation.  E_EXISTS: there is one of
 * that name, with another secret or algorithm; E_UNSUPPORTED: the name is one that key_name_read() does not take; E_LIMIT, E_NOMEM. */
err_t keystore_add_key(struct keystore *ks, const struct tsig_key *key);

/* Finds keys without any right: their names have no operation, and no `_secondaries` file names them (key-operation, a warning).
 * `named`: what all such files say, NULL: there are none. */
void keystore_find_idle(const struct keystore *ks, const struct secondaries *named, struct findings *out);

/* Copies every key of `from`.  A key whose name `into` has already is left out, and is a finding.  E_LIMIT: with all of them there would be
 * too many; nothing changed.  E_NOMEM: some were copied. */
err_t keystore_merge(struct keystore *into, const struct keystore *from, struct findings *out);

/* Gives the keys that were added what `s` grants them besides the rights of their names, and borrows it: `s` must live as long as the
 * store.  Before keystore_seal().  `s` NULL: nothing. */
void keystore_grant(struct keystore *ks, const struct secondaries *s);

void keystore_seal(struct keystore *ks); /* sorts; no keystore_add() after it */

size_t keystore_count(const struct keystore *ks); /* ks may be NULL: none */
size_t keystore_octets(const struct keystore *ks); /* memory; NULL-safe */
const struct key *keystore_at(const struct keystore *ks, size_t i);
const struct key *keystore_find(const struct keystore *ks, const uint8_t *name); /* NULL; ks may be NULL */
