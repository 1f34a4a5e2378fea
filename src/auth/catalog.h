/* auth/catalog.h -- the catalog zone (RFC 9432): the names of all zones as a zone, from which secondaries learn what to serve.
 *
 * It is in the set of zones as any other, in no file, and follows the set from view to view: a PTR record for each zone, under a
 * label that is made of the zone's name and so is the same whenever it comes back.  Secondaries get its changes by IXFR.  As
 * it tells strangers what we serve, it answers those alone who may transfer it.
 *
 * Pure.
 */
#pragma once

#include "auth/view.h"
#include "zone/trie.h"

/* "<label>.zones." before the catalog's own name. */
enum { CATALOG_NAME_WIRE_MAX = NAME_WIRE_MAX - (1 + 40) - (1 + 5) };

/* Lets the catalog called `apex` follow from one view to the next, which nobody sees yet: next->zones gets its new version.
 * What the view before had alone goes to *garbage.  `now_s`: its serial number, unless that would not be higher.  E_NOMEM: it
 * is in `next` as it was before, or not at all when there was none; then another call is the next chance, with `is_behind`: it is
 * made anew, and *retired is the one from before, which is to be freed when nobody reads it. */
err_t catalog_follow(const uint8_t *apex, const struct view *before, struct view *next, uint64_t now_s, bool is_behind,
                     struct garbage *garbage, struct zone **retired);
