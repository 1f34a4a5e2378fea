/* tests/unit/few_metrics.h -- a metric of each kind, for tests of the formats that write them. */
#pragma once

#include "ops/metrics.h"

enum { COUNT, AGE, ABOUT, TOOK, EMPTY, N };

static const struct metric table[N] = {
	[COUNT] = { "things", METRIC_IS_COUNTER, "", "Things that were seen.", { "kind", "where" } },
	[AGE] = { "age_seconds", METRIC_IS_GAUGE, "seconds", "Since then.", { NULL } },
	[ABOUT] = { "about", METRIC_IS_INFO, "", "What it is.", { "version" } },
	[TOOK] = { "took_seconds", METRIC_IS_HISTOGRAM, "seconds", "How long it took.", { NULL } },
	[EMPTY] = { "nothing", METRIC_IS_GAUGE, "", "Without a value.", { NULL } },
};
