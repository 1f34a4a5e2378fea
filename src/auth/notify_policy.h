/* auth/notify_policy.h -- which addresses NOTIFY may go to.
 *
 * It goes to none that the operator does not want, and to none that is no single server's: 0.0.0.0, multicast, link-local addresses, and
 * IPv4 mapped into IPv6.  It goes to an address of our own only at a port that an SRV record gives and on which we do not answer: another
 * server of the same machine.  Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/keys.h"

struct zone;

enum notify_whom { NOTIFY_WHOM_ALL, NOTIFY_WHOM_KEYS, NOTIFY_WHOM_NONE };

/* Where we answer. */
struct notify_own {
	struct key_address address;
	uint16_t port;
};

struct notify_policy {
	const struct notify_own *own;  /* borrowed */
	size_t own_n;
	enum notify_whom whom;         /* KEYS: only those that keys or `_secondaries` files name */
	/* Does another version follow this one at once?  Then nobody is told of this one; the caller sees to the other.  NULL: never. */
	bool (*is_put_off)(void *ctx, const struct zone *z);
	void *ctx;
	bool is_loopback_only;         /* only loopback addresses are told: a real zone can be tried without waking its name servers */
};

/* Can the address be one server's, as seen from here?  Not 0.0.0.0/8, multicast, class E, link-local addresses, or IPv4 mapped into
 * IPv6. */
bool notify_is_unicast(const struct key_address *a);

/* 127.0.0.0/8 (RFC 1122 3.2.1.3 (g)), ::1 (RFC 4291 2.5.3), and the former mapped into IPv6. */
bool notify_is_loopback(const struct key_address *a);

/* The source of messages to `to` that are signed with a key whose name has the primary's address `primary`: that address, if it is ours and
 * leads there.  It leads to addresses of its family; a loopback address leads to loopback addresses alone.  Else family 0: the default
 * source of notifications. */
struct key_address notify_source(const struct notify_policy *policy, const struct key_address *primary, const struct key_address *to);

/* Does the policy let this address be told?  `port`: that an SRV record gives for it; 0: none does.  `is_named`: does a key or a
 * `_secondaries` file name it? */
bool notify_is_allowed(const struct notify_policy *policy, const struct key_address *a, uint16_t port, bool is_named);
