/* auth/key.h -- one key: what it may do is said by its name, and by files of secondaries (auth/secondaries.h).
 *
 * ANYTHING._OPERATION.DOMAIN is granted for DOMAIN and all below it; `_update` includes `_transfer`,
 * which includes `_notify`, which includes `_status`.
 *
 * DOMAIN may lie inside of a zone: there the key is narrow, and good for updates of the names at and below DOMAIN alone.  Labels that
 * name types before `_update` (ANYTHING._a._aaaa._update.DOMAIN) hold a key to records of these types; it may do nothing else.
 *
 * A file of secondaries can grant any key, whatever its name, the right to transfer the zones of a domain.  A grant includes nothing else:
 * no NOTIFY, and no question about the state.  Where only the name counts, the functions below say so.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
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

size_t key_address_len(const struct key_address *a); /* octets of its family */
int key_address_compare(const struct key_address *a, const struct key_address *b); /* by family, then by octets */
bool key_address_is_equal(const struct key_address *a, const struct key_address *b);

/* The most types that a name of 255 octets can list: "_a" takes three octets, "_update" and the root nine. */
enum { KEY_TYPES_MAX = (NAME_WIRE_MAX - 9) / 3 };

struct secondary_grant;

struct key {
	struct tsig_key tsig;
	enum key_right right;
	struct name domain;              /* the right reaches this name and all below; root: everything */
	uint16_t types[KEY_TYPES_MAX];   /* that it is held to; as the name has them, twice if that does */
	unsigned types_n;                /* 0: to none */
	struct key_address primary, secondary;
	size_t order;                    /* of two keys of one file, that with the larger number comes later in it: it is the newer one */
	const struct secondary_grant *granted; /* borrowed; in order of the domain */
	size_t granted_n;
};

/* The part of the name that speaks: right, domain, types (of an update key), addresses (of a transfer key); nothing else of *out
 * changes.  Types and addresses are read from the operation leftwards: PRIMARY.SECONDARY._transfer, or ANYTHING.PRIMARY._transfer.
 * E_FORMAT when it has no _operation.  E_UNSUPPORTED: a label with an underscore before _update names no type of records, or one
 * before another operation does name one.  Such a key may do nothing, since what it may could be more than is meant. */
err_t key_name_read(const uint8_t *name, struct key *out);

enum { KEY_TROUBLE_MAX = 320 };

/* What is wrong with a name that key_name_read() does not take, to be put behind "the key's name "; "" when nothing is.  Of a name
 * without an operation, which may be a secret in the wrong place, nothing is shown. */
void key_name_trouble(const uint8_t *name, char out[KEY_TROUBLE_MAX]);

/* True when its name gives it the right, for whatever domain. */
bool key_includes(const struct key *k, enum key_right right);

/* True when the key may do that with the whole zone: by its name, or by a grant to transfer it. */
bool key_has_right(const struct key *k, enum key_right right, const uint8_t *zone);

/* True when the key has the right for this very domain, not only for one around it. */
bool key_is_for(const struct key *k, enum key_right right, const uint8_t *domain);

/* True when the key may ask for the state of the server as a whole: then it may also see the remote, whole-server figures, and what
 * concerns others. */
bool key_sees_all(const struct key *k);

/* May it change anything in this zone? */
bool key_may_update(const struct key *k, const uint8_t *zone);

/* Where it may: also records of this type at this name?  TYPE_ANY: all that the name has.  A narrow key changes SOA, NS and DS only
 * when it is held to them. */
bool key_may_change(const struct key *k, const uint8_t *zone, const uint8_t *owner, uint16_t type);

/* Is it good for a part of the zone at most? */
bool key_is_narrow(const struct key *k, const uint8_t *zone);

/* SOA, NS, DS: is the type of those that make a zone, and its delegations? */
bool key_is_type_of_zone(uint16_t type);

bool key_is_same(const struct tsig_key *a, const struct tsig_key *b); /* algorithm and secret; in constant time */
