/* zone/check.h -- should this zone be served?  Checks over a whole zone.
 *
 * The builder has already found everything that one name shows by itself (CNAME and other data, duplicates, TTL differences).
 * The checks here look at several names: missing glue, NS, MX or SRV to an alias or to nothing, records
 * below a cut, names that look like a forgotten dot, wildcards where none belong, …  Codes and levels:
 * docs/man/ozone.1.  The cost is one walk.
 *
 * A zone that BIND, Knot and NSD all serve gets no error: checks are for people, serving follows the RFCs.  A finding in it that does
 * not work for clients (a delegation without glue, an NS record that leads nowhere) is DIAG_UNWISE.
 */
#pragma once

#include "base/err.h"
#include "zone/findings.h"
#include "zone/zone.h"

err_t zone_check(const struct zone *z, struct findings *out);

/* Takes back what was found missing: where records could not be read, it may be one of those. */
void zone_check_forget_missing(struct findings *f);

/* `new` against `old`: the serial must be newer (RFC 1982) when anything else changed, and never goes back.  `is_raised`: the primary
 * writes newer ones itself; then one that goes back is a warning, for it may be a typo. */
err_t zone_check_serial(const struct zone *old, const struct zone *new, bool is_raised, struct findings *out);

/* The same when the old version is no zone, and its serial is all that is known: `change` says that the zone changed. */
void zone_serial_finding(const struct zone *new, uint32_t was, bool is_raised, const char *change, struct findings *out);
