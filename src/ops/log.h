/* ops/log.h -- the log: one line for each event, on standard error, with a level and key=value fields.
 *
 *   2026-11-23T08:40:00.123Z info event=zone-loaded zone=example. serial=5
 *
 * Under systemd (JOURNAL_STREAM) the line begins with the level as the journal reads it ("<6>") instead of the time.  A text is quoted
 * where it could be mistaken for something else, and octets other than printable ASCII are written as \xHH: so nothing from the network
 * or from a repository reaches a terminal unchanged.  A line is one write(2) of at most LOG_LINE_MAX octets, which a pipe takes whole.
 *
 * A server sets a ring (ops/log_ring.h): then only the ring's thread waits for the log's reader.  Each line may go to a syslog server,
 * too (ops/log_syslog.h).  A server also sets limits
 * (ops/log_limit.h): then no event can fill the log, whoever causes it.  At the start and at the end, when there is no ring, a reader that
 * takes nothing is waited for no longer than LOG_DIRECT_WAIT_MS; then lines are lost.
 *
 * Threads: a struct log does not change while several threads use it; any thread may write through it.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "ops/log_limit.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum {
	LOG_LINE_MAX = 4096,
	LOG_DIRECT_WAIT_MS = 1000, /* how long to wait, once, for a reader that takes nothing while there is no ring */
};

struct log_ring;
struct log_syslog;

/* Of a line: its text does not have the time when it is for the journal. */
struct log_stamp {
	int64_t at_ms; /* since 1970 */
	enum log_level level;
};

struct log {
	int fd;
	struct log_ring *ring; /* borrowed; NULL: each thread writes its lines itself */
	struct log_syslog *syslog; /* borrowed; NULL: lines go to `fd` alone */
	struct log_limits *limits; /* borrowed; NULL: no limits, and slow readers are waited for */
	enum log_level level; /* lines of less important levels are left out */
	bool to_journal;
};

/* Logs to standard error, and finds out whether that is the journal. */
void log_init(struct log *log, enum log_level level);

/* Writes the whole line, and waits for the reader if necessary.  If the descriptor fails, the rest is lost. */
void log_write(int fd, const char *line, size_t len);

/* `text` is "error", "warning", "info" or "debug"; else E_FORMAT. */
err_t log_level_parse(const char *text, enum log_level *out);

static inline bool
log_is_on(const struct log *log, enum log_level level)
{
	return level <= log->level;
}

/* True when log_peer_event() would write a line.  A caller that has to print names and addresses for the line asks this first.  False: the
 * line is left out, and has been counted if a limit is the reason. */
bool log_peer_is_due(const struct log *log, enum log_cause cause, enum log_level level, const char *event);

/* `fields` is a printf format of words "key=conversion" with one space between them.  Conversions are %s %d %ld %lld %u %lu %zu %llu
 * (PRIu64 and PRId64 are among these): "zone=%s serial=%u".  A field whose string is NULL or empty is left out. */
[[gnu::format(printf, 4, 5)]] void log_event(const struct log *log, enum log_level level, const char *event,
                                             const char *fields, ...);

/* The same for what peers cause: requests, connections, transfers.  `cause` is LOG_BY_STRANGER or LOG_BY_KEY. */
[[gnu::format(printf, 5, 6)]] void log_peer_event(const struct log *log, enum log_cause cause, enum log_level level,
                                                  const char *event, const char *fields, ...);
