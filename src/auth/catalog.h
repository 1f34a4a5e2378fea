/* auth/catalog.h -- the catalog zone (RFC 9432): a zone that lists the names of all zones, from which secondaries learn what to
 * serve.
 *
 * It is in the set of zones like any other zone, but has no file.  It follows the set from view to view, and has a PTR record for each
 * zone.  The record's label is computed from the zone's name, so that a zone that comes back has the same label again.
 * Secondaries get its changes by IXFR.  Since it tells which zones we serve, it answers only clients that may transfer it.
 *
 * Pure.
 */
#pragma once

#include "auth/view.h"
#include "zone/trie.h"

/* "<label>.zones." before the catalog's own name. */
enum { CATALOG_NAME_WIRE_MAX = NAME_WIRE_MAX - (1 + 40) - (1 + 5) };

/* Puts the next version of the catalog called `apex` into next->zones; `next` is not published yet.  Memory that only the old
 * version uses goes to *garbage.  `now_s` becomes the serial number, unless it is not higher.  E_NOMEM: `next` has the old
 * version, or none if there was none.  Then the next call must have `is_behind` set: it makes a whole new catalog, and *retired is
 * the old version, to be freed when nobody reads it. */
err_t catalog_follow(const uint8_t *apex, const struct view *before, struct view *next, uint64_t now_s, bool is_behind,
                     struct garbage *garbage, struct zone **retired);
