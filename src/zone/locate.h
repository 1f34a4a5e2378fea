/* zone/locate.h -- where in the source the findings of a zone are.
 *
 * Loading keeps no positions.  When there are findings, the source is read once more and each finding
 * gets the place of the record that it is about.
 *
 * Cost: one more reading of the source, and a look-up a record.
 */
#pragma once

#include "base/err.h"
#include "zone/findings.h"
#include "zone/master.h"

/* Reports every finding of `f` to source->sink: with file, line, column, width and source line where
 * its record is found; those without a record (a missing SOA, say) with the file alone.  Order: the
 * zone's own file, then the others by name; within a file by line, those without one first; then as
 * in `f`.
 *
 * `source` and the text are what the findings were made from; apex, file, ctx, open, close and sink
 * count, `record` is not used.  What may be included is not taken off again, and a source that went
 * beyond it is not read again.  Errors of syntax are not reported again.  E_NOMEM: then nothing was
 * reported. */
err_t findings_locate(const struct findings *f, const struct master_reader *source, const char *text,
                      size_t len);
