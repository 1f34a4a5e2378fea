/* ops/metric_lines.h -- samples of metrics as the lines that text formats have: a name, labels, and one number.
 *
 * A histogram is several lines: "_bucket" for each bound, then "_count" and "_sum".  Counters end in "_total", and an info in "_info".
 *
 * Pure.
 */
#pragma once

#include "ops/metrics.h"

enum { METRIC_NUMBER_MAX = 40 };

struct metric_line {
	const struct metric *metric;
	const char *ending;          /* behind the metric's name; static */
	const struct sample *sample; /* of which the labels are */
	const char *bound;           /* one more label, "le"; NULL: none */
	double value;
};

/* What samples of the metric have behind its name, unless it is a histogram. */
const char *metric_ending(const struct metric *m);

void metric_lines(const struct metric *m, const struct sample *s, void (*line)(void *ctx, const struct metric_line *l), void *ctx);

/* Returns `out`.  Whole numbers are exact. */
const char *metric_print(double v, char out[METRIC_NUMBER_MAX]);
