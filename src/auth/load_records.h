/* auth/load_records.h -- reads a file of the repository that is no zone: its records are keys or secondaries.
 *
 * A bad line costs that record alone, as far as this module goes.  What is found in records gets its place by a second reading
 * (zone/locate.h).
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "zone/findings.h"
#include "zone/load.h"
#include "zone/master.h"

struct load_records {
	const struct master_reader *source;  /* as for zone_load(); its sink is not used */
	const struct diag_sink *read, *found; /* the first gets what the reader finds, the second gets findings about records */
	bool is_of_keys;
	err_t (*add)(void *ctx, const struct master_rr *rr, struct findings *out);
	size_t (*octets)(const void *ctx);   /* memory of all that was added */
	size_t octets_max;                   /* reading stops when it is more */
	void *ctx;
	bool is_over_limit;
	struct findings findings;            /* begins empty; load_records_end() frees it */
	struct master_counts counts;
};

/* Gives each record to `add`.  The caller must pass the result to load_records_end(), and may add findings before. */
err_t load_records_read(struct load_records *l, const char *text, size_t len);

/* Reports the findings, and says what is to become of what was added.  OK: it is taken; result->errors tells how many lines were bad.
 * E_FORMAT: nothing is good though there are errors (`is_any_good`), or the reading stopped before the end.  E_LIMIT with
 * result->is_over_limit: it would take more than octets_max.  Others as of the reading, and E_NOMEM. */
err_t load_records_end(struct load_records *l, err_t read, const char *text, size_t len, bool is_any_good, struct load_result *result);
