/* auth/keys.h -- the key store: who may do what is said by a key's name.
 *
 * ANYTHING._OPERATION.DOMAIN is granted for DOMAIN and all below it; `_update` includes `_transfer`,
 * which includes `_notify`, which includes `_status`.  Keys come from `_keys` and `NAME._keys` files, as DNSKEY records with
 * algorithm 161 to 165.  They are never served.  One immutable store for each published view.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "dns/tsig.h"
#include "zone/findings.h"

/* Each includes those before it.  RIGHT_STATUS only looks: at what the server says of itself and of zones. */
enum key_right { RIGHT_NONE, RIGHT_STATUS, RIGHT_NOTIFY, RIGHT_TRANSFER, RIGHT_UPDATE, RIGHT_COUNT };

enum { KEYS_MAX = 100000 };

struct key_address { /* out of a transfer key's name */
	uint8_t family;  /* 0: none, 4, 6 */
	uint8_t octets[16]; /* of family 4: the first four */
};

const char *key_right_label(enum key_right right); /* "_notify"; of RIGHT_NONE "" */

bool key_address_is_equal(const struct key_address *a, const struct key_address *b);

struct key {
	struct tsig_key tsig;
	enum key_right right;
	struct name domain;              /* the right reaches this name and all below; root: everything */
	struct key_address primary, secondary;
};

struct keystore;

/* Builder: add every key, then finish. */
struct keystore *keystore_new(void); /* NULL: no memory */
void keystore_free(struct keystore **ks); /* NULL-safe; wipes the secrets */

/* One DNSKEY record of a keys file.  `within`: the file's domain (NAME of NAME._keys, root for _keys): a
 * key of another domain is a finding.  Findings also: flags, protocol, algorithm, empty or overlong
 * secret, no _operation label, the name twice.  No text of a finding shows the secret; the record in it does (where
 * a finding is, is told by its record), and so does its line in the file: do not print these.  E_LIMIT,
 * E_NOMEM. */
err_t keystore_add(struct keystore *ks, const uint8_t *owner, const uint8_t *within, const uint8_t *rdata,
                   uint16_t rdlen, struct findings *out);

/* Copies every key of `from` whose file is not in question any more; for rebuilding. */
err_t keystore_merge(struct keystore *into, const struct keystore *from, struct findings *out);

void keystore_seal(struct keystore *ks); /* sorts; no keystore_add() after it */

size_t keystore_count(const struct keystore *ks);
const struct key *keystore_at(const struct keystore *ks, size_t i);
const struct key *keystore_find(const struct keystore *ks, const uint8_t *name); /* NULL; ks may be NULL */

bool key_is_same(const struct tsig_key *a, const struct tsig_key *b); /* algorithm and secret; in constant time */

/* May this key do that with this zone? */
bool key_has_right(const struct key *k, enum key_right right, const uint8_t *zone);

/* The part of the name that speaks: right, domain, addresses (of a transfer key); nothing else of *out
 * changes.  E_FORMAT when it has no _operation.  Addresses are read from the operation leftwards:
 * PRIMARY.SECONDARY._transfer, or ANYTHING.PRIMARY._transfer. */
err_t key_name_read(const uint8_t *name, struct key *out);
