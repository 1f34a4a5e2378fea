/* auth/notify_compare.h -- finds what to tell secondaries when one view replaces another (auth/notify_targets.h finds whom to tell).
 *
 * Pure.  What comes out borrows from the views that it came from.
 */
#pragma once

#include <stddef.h>

#include "auth/notify_targets.h"

/* What is told of a zone that is served. */
struct notify_news notify_news_of(const struct zone *z);

typedef void notify_each(void *ctx, const struct notify_news *news, const struct notify_target *to);

/* Who listens.  Each may be NULL. */
struct notify_listener {
	notify_each *each;                                        /* a zone to a target */
	/* A zone that came, changed or went, and its targets; before `each` of these. */
	void (*zone)(void *ctx, const struct notify_news *news, const struct notify_targets *targets);
	void (*looked)(void *ctx);                                /* the targets of one more zone were looked up, which takes time */
	void *ctx;
};

/* Who was not told. */
struct notify_left_out {
	size_t cut_n;    /* zones that have more targets than NOTIFY_TARGETS_MAX */
	size_t passed_n; /* zones with a target that is not told because it is not a loopback address; the first such target: */
	struct key_address passed;
	uint16_t passed_port;
	struct name passed_zone;
	size_t unknown_n; /* zones with a host that is not told, as nobody knows its addresses; the first: */
	struct name unknown, unknown_zone;
};

/* Everything that is to be told when `now` takes the place of `old` (NULL: of nothing, at the start):
 *   each zone that is new or has another version, to all of its targets;
 *   each zone that is gone, to the targets that it had in the old view;
 *   each other zone, to the targets that are new: an address or port that was not told of it before, or a key that is new there or has
 *   another secret or algorithm.  The other keys of that address and port go with it: the secondary may know none but these.
 * E_NOMEM: some may not have been told.
 * Cost: what differs.  When keys or `_secondaries` files differ: also the transfer keys (sorted once for each view), and the zones at and
 * below the domains of what differs, a few microseconds each. */
err_t notify_compare(const struct view *old, const struct view *now, const struct notify_policy *policy,
                     const struct notify_listener *to, struct notify_left_out *out);

/* These zones of a view, to all that are to hear of them.  Names that are no zones are passed over.  E_NOMEM. */
err_t notify_zones(const struct view *v, const struct name *zones, size_t n, const struct notify_policy *policy,
                   const struct notify_listener *to, struct notify_left_out *out);

/* Every zone at and below a name, to one target, for a peer that is to hear of all of them.  A target that is an address is told at the
 * ports that SRV records give for it, else at its own.
 * A zone that cannot be served is told, too, without a serial: a secondary that has just started must know of it
 * to answer SERVFAIL, as we do; else it would deny the zone to secondaries that may still serve it.  We may have
 * just started, too, so this goes for a zone that we do not have yet. */
void notify_every_zone(const struct view *v, const uint8_t *domain, const struct notify_target *to, notify_each *each,
                       void *ctx);

/* Every zone at and below a name of which an address is a target: to that target, as when the zone changes.  E_NOMEM. */
err_t notify_every_zone_at(const struct view *v, const uint8_t *domain, const struct key_address *address,
                           const struct notify_policy *policy, const struct notify_listener *to);

/* Is there a zone at or below the name of which notify_every_zone() tells? */
bool notify_has_zone(const struct view *v, const uint8_t *domain);
