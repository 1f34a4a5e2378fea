/* ops/log_ring.h -- a bounded ring of log lines, and the thread that writes them.
 *
 * If the log's reader stops reading (a terminal that is halted, a full disk behind a pipe), only this thread has to wait.  When the ring is
 * full, further lines are dropped and counted.  After the next line that is written, the line event=log-dropped says how many.
 *
 * Threads: log_ring_put() and log_ring_dropped() on any, until log_ring_free(); the other functions on one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct log;
struct log_ring;
struct log_stamp;

enum { LOG_RING_OCTETS = 1 << 20 };

/* Starts the thread, which sends lines to the syslog server of `log`, and writes them to its descriptor; `log` is copied.  E_NOMEM: no
 * thread. */
err_t log_ring_start(const struct log *log, struct log_ring **out);

/* To be called once.  Drops every further line, and waits until the others are written, at most `limit_ms`.  False: the reader takes
 * nothing and the thread still waits; then the caller ends the process without joining threads (_exit()). */
bool log_ring_end(struct log_ring *ring, unsigned limit_ms);

/* Only after log_ring_end() was true, when no thread puts lines any more.  NULL-safe. */
void log_ring_free(struct log_ring **ring);

/* Copies one line with its line end, LOG_LINE_MAX octets at most.  Never waits for the log's reader.  False: the line was dropped. */
bool log_ring_put(struct log_ring *ring, const struct log_stamp *stamp, const char *line, size_t len);

/* Lines dropped since the start. */
uint64_t log_ring_dropped(struct log_ring *ring);
