/* auth/key.h -- one key: what it may do is said by its name.
 *
 * ANYTHING._OPERATION.DOMAIN is granted for DOMAIN and all below it; `_update` includes `_transfer`,
 * which includes `_notify`, which includes `_status`.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/name.h"
#include "dns/tsig.h"

/* Each includes those before it.  RIGHT_STATUS only looks: at what the server says of itself and of zones. */
enum key_right { RIGHT_NONE, RIGHT_STATUS, RIGHT_NOTIFY, RIGHT_TRANSFER, RIGHT_UPDATE, RIGHT_COUNT };

const char *key_right_label(enum key_right right); /* "_notify"; of RIGHT_NONE "" */

struct key_address { /* out of a transfer key's name */
	uint8_t family;  /* 0: none, 4, 6 */
	uint8_t octets[16]; /* of family 4: the first four */
};

bool key_address_is_equal(const struct key_address *a, const struct key_address *b);

struct key {
	struct tsig_key tsig;
	enum key_right right;
	struct name domain;              /* the right reaches this name and all below; root: everything */
	struct key_address primary, secondary;
};

/* The part of the name that speaks: right, domain, addresses (of a transfer key); nothing else of *out
 * changes.  E_FORMAT when it has no _operation.  Addresses are read from the operation leftwards:
 * PRIMARY.SECONDARY._transfer, or ANYTHING.PRIMARY._transfer. */
err_t key_name_read(const uint8_t *name, struct key *out);

/* May this key do that with this zone? */
bool key_has_right(const struct key *k, enum key_right right, const uint8_t *zone);

bool key_is_same(const struct tsig_key *a, const struct tsig_key *b); /* algorithm and secret; in constant time */
