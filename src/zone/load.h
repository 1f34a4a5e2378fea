/* zone/load.h -- makes a zone that may be served from the text of a master file, or reports why not.
 *
 * Reads, builds, checks; every diagnostic goes to the sink with its place in the source.  The primary and ozone both use this,
 * so that they decide alike.
 */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "zone/master.h"
#include "zone/zone.h"

struct load_result {
	size_t records;          /* records read, whether or not they became a zone */
	size_t errors, warnings;
	size_t octets;           /* memory that making it took */
	bool is_over_limit;      /* the limit was not enough */
	size_t octets_expected;  /* then: about what the zone would have taken at the end of the $GENERATE at hand; at least `octets` */
};

/* `source`: apex, file, open, close, ctx, drops_outside and sink are used as by master_read(); its `record` is not used.
 * E_FORMAT: there were errors, all of which were reported, and there is no zone.  E_LIMIT with is_over_limit: the zone would
 * take more than `octets_max` of memory, which is not reported.  The caller owns *out. */
err_t zone_load(const struct master_reader *source, const char *text, size_t len, size_t octets_max, struct zone **out,
                struct load_result *result);
