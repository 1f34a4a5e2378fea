/* ops/log_ring.h -- lines of the log on their way out: a bounded ring, and one thread that writes it.
 *
 * A reader of the log that stops reading (a terminal that is halted, a full disk behind a pipe) stops the writing thread, and
 * nobody else.  Once the ring is full, further lines are dropped and counted; the next line that gets through is followed by
 * event=log-dropped with their number.
 *
 * Threads: log_ring_put() and log_ring_dropped() on any, until log_ring_free(); all else on one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct log;
struct log_ring;

enum { LOG_RING_OCTETS = 1 << 20 };

/* Begins to write what is put to `log`'s descriptor; `log` is copied.  E_NOMEM: no thread. */
err_t log_ring_start(const struct log *log, struct log_ring **out);

/* Waits until all is written, for `limit_ms` at most; from now on every line is dropped.  Once.  False: the reader takes nothing; the
 * thread is still there, and the caller ends the process without waiting for threads (_exit()). */
bool log_ring_end(struct log_ring *ring, unsigned limit_ms);

/* After log_ring_end() was true, once no thread puts any more.  NULL-safe. */
void log_ring_free(struct log_ring **ring);

/* One line with its end, of LOG_LINE_MAX octets at most; copied.  Waits for nobody who writes.  False: dropped. */
bool log_ring_put(struct log_ring *ring, const char *line, size_t len);

/* Lines dropped since the start. */
uint64_t log_ring_dropped(struct log_ring *ring);
