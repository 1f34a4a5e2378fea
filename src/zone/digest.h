/* zone/digest.h -- are two versions of a zone the same?  A number that is kept of one version tells, when that version is gone. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "zone/zone.h"

/* Of all records with their TTLs, in the zone's order, in canonical form; 0: no memory for it.  No defence against somebody who looks for
 * two zones with one digest (base/hash.h): who may write the zone gains nothing by it.  The cost is that of reading the zone once. */
uint64_t zone_digest(const struct zone *z);
