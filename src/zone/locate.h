/* zone/locate.h -- finds the places of findings in the source.
 *
 * Loading keeps no positions.  If there are findings, the source is read once more, and each finding gets the place of its
 * record.
 *
 * Cost: one more reading of the source, and one look-up for each record.
 */
#pragma once

#include "base/err.h"
#include "zone/findings.h"
#include "zone/master.h"

/* Reports every finding of `f` to source->sink, with file, line, column, width and source line if its record is found.  Findings
 * without a record (a missing SOA, say) only have the file.  Order: the zone's own file, then the others by name; within a file
 * by line, findings without a line first; then as in `f`.
 *
 * `source` and the text are those from which the findings were made; apex, file, ctx, open, close and sink are used, `record` is
 * not.  This reading does not count against the limits for included text, and a source that exceeded them is not read again.
 * Syntax errors are not reported again.  E_NOMEM: nothing was reported. */
err_t findings_locate(const struct findings *f, const struct master_reader *source, const char *text,
                      size_t len);
