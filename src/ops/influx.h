/* ops/influx.h -- values of metrics as Influx lines (line protocol of InfluxDB), for Telegraf and whoever reads its formats.
 *
 * Names, labels and values are those of ops/openmetrics.h: a name is the measurement, labels are tags, and the value is the field "value",
 * always a float.  Tags "job" (the program) and "instance" (the host) say who tells it.  Octets other than printable ASCII, and the
 * backslash, are written as \xHH, so a backslash never stands before what the format gives a meaning to.
 *
 * Pure.
 */
#pragma once

#include "base/str.h"
#include "ops/metrics.h"

/* A metric without values is left out, and so are values that the format does not have: not a number, and infinity.  Want of memory is an
 * error of `out`. */
void influx_write(const struct metrics *m, const char *job, const char *instance, uint64_t at_s, struct str *out);
