/* ops/openmetrics.h -- values of metrics as text, for Prometheus and whoever reads its formats: OpenMetrics 1.0 (the standard, with units
 * and an end mark), and Prometheus' own text format 0.0.4 for older readers.
 *
 * Octets of labels other than printable ASCII are written as \xHH, as in the log; the format's own escapes are for backslash, quote and
 * line feed.
 *
 * Pure.
 */
#pragma once

#include "base/str.h"
#include "ops/metrics.h"

enum openmetrics_form { FORM_PROMETHEUS, FORM_OPENMETRICS };

#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PROMETHEUS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* A metric without values is left out.  Want of memory is an error of `out`. */
void openmetrics_write(const struct metrics *m, enum openmetrics_form form, struct str *out);
