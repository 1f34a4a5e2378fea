/* auth/notify_targets.h -- who is to be told about a zone, and what there is to tell between two views.
 *
 * Told about a zone are:
 *   the secondary address in the name of each transfer key for it (key right RIGHT_TRANSFER itself, domain at or above
 *   the zone; the nearest domain first), signed with that key;
 *   the addresses of the hosts in its apex NS RRset, but for the one that the SOA's MNAME names (RFC 1996 2, "Notify
 *   Set"): A and AAAA records in the zone itself (glue too), else in the nearest zone served that encloses the host.
 *   Hosts whose addresses we do not serve are left out: we are no resolver.
 * An address is told the signed way when there is one: with each key that names it, NOTIFIER_KEYS_MAX at most, since
 * it may not know them all (auth/notifier.h makes one notification of these).  Our own addresses, and those that are nobody's in particular
 * (0.0.0.0, multicast, link-local, IPv4 mapped into IPv6), are left out.  A policy may leave out more.
 *
 * Pure.  What comes out borrows from the views that it came from.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/notifier.h"
#include "auth/view.h"
#include "base/err.h"

enum { NOTIFY_TARGETS_MAX = 256 }; /* of one zone */

enum notify_whom { NOTIFY_WHOM_ALL, NOTIFY_WHOM_KEYS, NOTIFY_WHOM_NONE };

/* Which of them are told. */
struct notify_policy {
	const struct key_address *own; /* addresses that are ours; borrowed */
	size_t own_n;
	enum notify_whom whom;         /* KEYS: only those that keys name */
	/* Not NULL: is a version passed over, as another one will follow at once?  Who is told of it then is the caller's to see to. */
	bool (*is_put_off)(void *ctx, const struct zone *z);
	void *ctx;
	bool is_loopback_only;         /* and of these only loopback addresses: who tries a real zone wakes nobody else */
};

struct notify_targets {
	struct notify_target list[NOTIFY_TARGETS_MAX];
	size_t n;
	bool is_cut;                /* there were more */
	bool has_passed;            /* one was passed over, as it is no loopback address: */
	struct key_address passed;
};

/* 127.0.0.0/8 (RFC 1122 3.2.1.3 (g)), ::1 (RFC 4291 2.5.3), and the former mapped into IPv6. */
bool notify_is_loopback(const struct key_address *a);

/* Does the policy let this address be told, under a key or without? */
bool notify_is_allowed(const struct notify_policy *policy, const struct key_address *a, bool is_keyed);

/* The transfer keys of a view by domain, so that many zones can be asked about.  Borrows the view. */
struct notify_index;
err_t notify_index_new(const struct view *v, struct notify_index **out); /* E_NOMEM */
void notify_index_free(struct notify_index **ix);                       /* NULL-safe */

void notify_targets_of(const struct notify_index *ix, const struct zone *z, const struct notify_policy *policy,
                       struct notify_targets *out);

/* What is told of a zone that is served. */
struct notify_news notify_news_of(const struct zone *z);

typedef void notify_each(void *ctx, const struct notify_news *news, const struct notify_target *to);

/* Who listens.  Either may be NULL. */
struct notify_listener {
	notify_each *each;                                        /* a zone to a target */
	/* A zone that came, changed or went, and its targets; before `each` of these. */
	void (*zone)(void *ctx, const struct notify_news *news, const struct notify_targets *targets);
	void *ctx;
};

/* Who was not told. */
struct notify_left_out {
	size_t cut_n;    /* zones that have more targets than NOTIFY_TARGETS_MAX */
	size_t passed_n; /* zones with targets that were passed over, as they are no loopback addresses; the first: */
	struct key_address passed;
	struct name passed_zone;
};

/* Everything that is to be told when `now` takes the place of `old` (NULL: of nothing, at the start): zones that are
 * new, or another version; zones that are gone, to those who were told of them in the old view; and for keys that are
 * new or have another secret or algorithm, every other zone that they are used for.  E_NOMEM: some may not have been told.
 * Cost: what differs, and the transfer keys (sorted once). */
err_t notify_compare(const struct view *old, const struct view *now, const struct notify_policy *policy,
                     const struct notify_listener *to, struct notify_left_out *out);

/* One zone of a view, to all that are to hear of it.  E_NOMEM. */
err_t notify_one_zone(const struct view *v, const struct zone *z, const struct notify_policy *policy, const struct notify_listener *to,
                      struct notify_left_out *out);

/* Every zone at and below a name, to one target: for a peer that is to hear of all of them. */
void notify_every_zone(const struct view *v, const uint8_t *domain, const struct notify_target *to, notify_each *each,
                       void *ctx);
