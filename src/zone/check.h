/* zone/check.h -- checks over a whole zone that decide whether it may be served.
 *
 * The builder has already found everything that one name shows by itself (CNAME and other data, duplicates, TTL differences), or has
 * taken it as a flaw.
 * The checks here look at several names: missing glue, NS, MX or SRV records that lead to an alias or to nothing, records below
 * a cut, names that look like a forgotten dot, wildcards where none belong, … Codes and levels: docs/man/ozone.1.  The cost is
 * one walk.
 *
 * A zone that BIND, Knot and NSD all serve gets no error: checks are for people, serving follows the RFCs.  In such a zone, a
 * mistake that makes names unreachable for clients (a delegation without glue, an NS record that leads nowhere) is DIAG_UNWISE.
 */
#pragma once

#include "base/err.h"
#include "zone/findings.h"
#include "zone/zone.h"

err_t zone_check(const struct zone *z, struct findings *out);

/* What a name of a zone shows by itself, as findings of this level: all but duplicates and TTL differences.  Nothing, if it is sound. */
void zone_check_name(const struct node *n, enum diag_level level, struct findings *out);

/* Drops findings about missing records.  Used when some records could not be read: one of these may be the missing one. */
void zone_check_forget_missing(struct findings *f);

/* Compares `new` with `old`: the serial must be newer (RFC 1982) if anything else changed, and must never go back.  `is_raised`:
 * the primary writes newer serials itself; then a serial that goes back is only a warning, since it may be a typing error. */
err_t zone_check_serial(const struct zone *old, const struct zone *new, bool is_raised, struct findings *out);

/* The same when only the serial of the old version is known: `change` describes the change of the zone. */
void zone_serial_finding(const struct zone *new, uint32_t was, bool is_raised, const char *change, struct findings *out);
