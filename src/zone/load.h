/* zone/load.h -- from the text of a master file to a zone that may be served, or to the reasons against it.
 *
 * Reads, builds, checks; every diagnostic goes to the sink with its place in the source.  The primary and
 * ozone both use this, so that they decide alike.
 */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "zone/master.h"
#include "zone/zone.h"

struct load_result {
	size_t records;          /* read, whether or not a zone came of them */
	size_t errors, warnings;
	size_t octets;           /* of memory that making it came to */
	bool is_over_limit;      /* that were not enough */
};

/* `source`: apex, file, open, close, ctx, drops_outside and sink as for master_read(); its `record` is not used.
 * E_FORMAT: there were errors, all reported, and there is no zone.  E_LIMIT, with is_over_limit: it would take more than `octets_max`
 * of memory; nothing is reported of that.  The caller owns *out. */
err_t zone_load(const struct master_reader *source, const char *text, size_t len, size_t octets_max, struct zone **out,
                struct load_result *result);
