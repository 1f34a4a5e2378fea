/* auth/secondaries.h -- what `_secondaries` and `NAME._secondaries` files say: which secondaries there are besides those that keys name.
 *
 * Such a file stands beside `_keys`, is in master-file form, and is about one domain: NAME, or all zones (root).
 *
 *     _transfer  APL  1:192.0.2.53/32 1:198.51.100.0/24  ; who transfers zones of the domain without a key (RFC 3123)
 *     _transfer  PTR  hoster-key.                        ; this key, of any name, may transfer zones of the domain
 *     _notify    SRV  0 0 5353 ns2                       ; this host is told of changes, at this port (RFC 2782)
 *     ns2        A    192.0.2.53                         ; where it is.  Without one: the addresses that a zone served has
 *     ns2        PTR  hoster-key.                        ; what it is told is signed with this key
 *     ns.other.net.  AAAA  2001:db8::53                  ; name servers (NS records) outside of the repository's zones, likewise
 *
 * `_transfer` and `_notify` may also stand at a name below the file's domain (`_transfer.sub`): they count for that name and all below.
 * Of APL items the nearest domain's count first, and of one domain the first that matches (`!`: not).  All other owners are hosts, may be
 * anywhere, and count for zones within the file's domain.  Where several files speak of one domain, that of the nearest file comes first.
 * Nothing in these files is served, and no secret is in them: the keys are in keys files.  Priority and weight of SRV records mean nothing.
 *
 * Since an item can be an exception from another one, a line that cannot be read must not be left out like that: somebody could transfer
 * more than was meant.  Of a file with any bad line, all that it says of addresses is left out, and what its last good version said stays.
 * Where there is none, the file's domain is shut: no address transfers its zones.
 *
 * One immutable store for each view, of all files.  Pure.
 * Cost: a look-up is a binary search for each label of the zone's name, also for an address, however many prefixes there are.  For an
 * address, the prefixes around the one found are looked at as well: they are of different lengths, so 33 of IPv4, or 129 of IPv6, at most.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/key.h"
#include "base/err.h"
#include "zone/findings.h"
#include "zone/master.h"

enum { SECONDARIES_MAX = 200000 }; /* records of all files, where each item of an APL counts as one: more are E_LIMIT */

struct keystore;
struct secondaries;

/* Builder: add every record, then seal; merge into one, and seal that. */
struct secondaries *secondaries_new(void); /* NULL: no memory */
void secondaries_free(struct secondaries **s); /* NULL-safe */

/* One record of a file for the domain `within`.  Findings: another type, an owner that its type does not go with, `_transfer` or
 * `_notify` outside of the domain, port 0, the name "." where a host or a key should be, an address at which nobody can
 * be told (notify_is_unicast()), a prefix of a family of addresses that we do not know; and a warning: a prefix that says more than counts.
 * A record with an error is left out as a whole.  E_LIMIT, E_NOMEM: the store is of no use any more. */
err_t secondaries_add(struct secondaries *s, const struct master_rr *rr, const uint8_t *within, struct findings *out);
err_t secondaries_merge(struct secondaries *into, const struct secondaries *from); /* E_LIMIT: nothing changed; E_NOMEM: as above */

/* No address transfers zones of the domain and all below it, whatever any file says.  E_NOMEM. */
err_t secondaries_shut(struct secondaries *s, const uint8_t *domain);
bool secondaries_is_shut(const struct secondaries *s, const uint8_t *zone); /* s may be NULL: it is not */

/* Instead of what a file for the domain says of addresses, what `last` says, which is the file's last good version.  NULL: there is none,
 * and the domain is shut.  E_LIMIT, E_NOMEM: the store is of no use any more. */
err_t secondaries_replace_addresses(struct secondaries *s, const struct secondaries *last, const uint8_t *domain);

void secondaries_seal(struct secondaries *s); /* sorts; no secondaries_add() after it */
size_t secondaries_count(const struct secondaries *s); /* s may be NULL: none; also below */
size_t secondaries_octets(const struct secondaries *s); /* memory */

/* May a client at this address transfer the zone without a key?  By TCP alone: an address in a datagram proves nothing. */
bool secondaries_may_transfer(const struct secondaries *s, const uint8_t *zone, const struct key_address *a);

/* The rights that keys of any name are given: in order of the key's name, then of the domain, one behind the other in memory. */
struct secondary_grant {
	const uint8_t *key, *domain;
};
size_t secondaries_grants_n(const struct secondaries *s);
const struct secondary_grant *secondaries_grant(const struct secondaries *s, size_t i);

/* Is the key of that name given a right, or does it sign for a host? */
bool secondaries_name_key(const struct secondaries *s, const uint8_t *key);

/* Keys that are named and that are in no keys file (secondary-key-unknown, a warning).  Each finding is about the PTR record that names
 * the key.  `s`: of one file or all; `keys`: of all files, NULL: none. */
void secondaries_find_unknown(const struct secondaries *s, const struct keystore *keys, struct findings *out);

/* The hosts that are told of a zone, the nearest domain's first, each with its port; borrowed.  `each` false: no more. */
void secondaries_notified(const struct secondaries *s, const uint8_t *zone, bool (*each)(void *ctx, const uint8_t *host, uint16_t port),
                          void *ctx);

/* What is said of a host for a zone: addresses and keys' names, those of the nearest file that says anything of it alone.  Returns how
 * many; at most `cap` are put. */
size_t secondaries_addresses(const struct secondaries *s, const uint8_t *zone, const uint8_t *host, struct key_address *out, size_t cap);
size_t secondaries_keys(const struct secondaries *s, const uint8_t *zone, const uint8_t *host, const uint8_t **out, size_t cap);

/* Calls `each` for every domain whose hosts, or their ports, addresses or keys, differ between the two stores: others may have to be told
 * there than before.  The domain belongs to either store; one may come more than once. */
typedef void secondaries_each_domain(void *ctx, const uint8_t *domain);
void secondaries_changed(const struct secondaries *before, const struct secondaries *now, secondaries_each_domain *each, void *ctx);

/* Each key that signs what a host is told, with the domain that its file is for. */
void secondaries_signers(const struct secondaries *s, void (*each)(void *ctx, const uint8_t *key, const uint8_t *domain), void *ctx);
