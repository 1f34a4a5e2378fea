/* zone/digest.h -- a digest of a zone version, to find out later whether another version has the same content. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "zone/zone.h"

/* The digest of all records with their TTLs, in canonical form and order; 0: no memory for it.  It does not resist somebody who
 * searches for two zones with the same digest (base/hash.h), but whoever may write the zone gains nothing by that.  The cost is
 * that of reading the zone once. */
uint64_t zone_digest(const struct zone *z);
