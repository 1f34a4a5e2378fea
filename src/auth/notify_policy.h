/* auth/notify_policy.h -- which addresses NOTIFY may go to: none of our own, none that is nobody's in particular, and no more than an
 * operator wants.
 *
 * Nobody's in particular are 0.0.0.0, multicast, link-local addresses, and IPv4 mapped into IPv6.  Pure.
 */
#pragma once

#include <stddef.h>

#include "auth/keys.h"

struct zone;

enum notify_whom { NOTIFY_WHOM_ALL, NOTIFY_WHOM_KEYS, NOTIFY_WHOM_NONE };

struct notify_policy {
	const struct key_address *own; /* addresses that are ours; borrowed */
	size_t own_n;
	enum notify_whom whom;         /* KEYS: only those that keys name */
	/* Not NULL: is a version passed over, as another one will follow at once?  Who is told of it then is the caller's to see to. */
	bool (*is_put_off)(void *ctx, const struct zone *z);
	void *ctx;
	bool is_loopback_only;         /* and of these only loopback addresses: who tries a real zone wakes nobody else */
};

/* 127.0.0.0/8 (RFC 1122 3.2.1.3 (g)), ::1 (RFC 4291 2.5.3), and the former mapped into IPv6. */
bool notify_is_loopback(const struct key_address *a);

/* From where an address is told under a key whose name calls that address the primary's: from there, if it is ours and can
 * lead there: of the same family, and from a loopback address to others alone.  Else family 0: from wherever notifications come by
 * default. */
struct key_address notify_source(const struct notify_policy *policy, const struct key_address *primary, const struct key_address *to);

/* Does the policy let this address be told, under a key or without? */
bool notify_is_allowed(const struct notify_policy *policy, const struct key_address *a, bool is_keyed);
