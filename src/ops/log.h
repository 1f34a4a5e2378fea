/* ops/log.h -- one line an event on standard error: a level and key=value fields.
 *
 *   2026-11-23T08:40:00.123Z info event=zone-loaded zone=example. serial=5
 *
 * Under systemd (JOURNAL_STREAM) the line begins with the level as the journal reads it ("<6>") in
 * place of the time.  A text value is quoted where it would not stand alone, and octets that are not
 * printable ASCII are escaped as \xHH: nothing that came from the network or a repository reaches a
 * terminal as it is.  A line is one write(2) of at most LOG_LINE_MAX octets, which a pipe takes whole.
 *
 * A program that serves others sets a ring (ops/log_ring.h): then no thread of its own waits for the reader of the log.  It sets limits,
 * too (ops/log_limit.h): then no event fills the log, whoever causes it; and where there is no ring, at the start and at the end, a reader
 * who takes nothing is waited for no longer than LOG_DIRECT_WAIT_MS, and lines are lost.
 *
 * Threads: a struct log does not change while several threads have it; any thread may write through it.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "ops/log_limit.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum {
	LOG_LINE_MAX = 4096,
	LOG_DIRECT_WAIT_MS = 1000, /* for a reader who takes nothing, while there is no ring; once in all */
};

struct log_ring;

struct log {
	int fd;
	struct log_ring *ring; /* borrowed; NULL: lines are written at once, by the thread that has them */
	struct log_limits *limits; /* borrowed; NULL: none, and readers are waited for */
	enum log_level level; /* what is less important than this is left out */
	bool to_journal;
};

/* Logs to standard error; finds out whether that is the journal. */
void log_init(struct log *log, enum log_level level);

/* Writes the whole line, or as much of it as the descriptor takes.  Waits for the reader. */
void log_write(int fd, const char *line, size_t len);

/* "error", "warning", "info" or "debug"; E_FORMAT. */
err_t log_level_parse(const char *text, enum log_level *out);

static inline bool
log_is_on(const struct log *log, enum log_level level)
{
	return level <= log->level;
}

/* Would log_peer_event() write a line?  For who has names and addresses to print for it.  False: it needs not be called; what the limits
 * leave out is counted. */
bool log_peer_is_due(const struct log *log, enum log_cause cause, enum log_level level, const char *event);

/* `fields` is a printf format of "key=conversion" words with one space between them, out of %s %d %u
 * %lu %zu %llu (PRIu64 is one of these): "zone=%s serial=%u".  A string that is NULL or empty leaves
 * its field out. */
[[gnu::format(printf, 4, 5)]] void log_event(const struct log *log, enum log_level level, const char *event,
                                             const char *fields, ...);

/* The same of what others cause: requests, connections, transfers.  `cause` is who they are, LOG_BY_STRANGER or LOG_BY_KEY. */
[[gnu::format(printf, 5, 6)]] void log_peer_event(const struct log *log, enum log_cause cause, enum log_level level,
                                                  const char *event, const char *fields, ...);
