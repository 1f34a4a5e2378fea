/* ops/syslog_message.h -- a line of the log as a message for a syslog server.
 *
 * For another host the form is that of RFC 5424: facility "daemon", the severity of the level, the event as MSGID, no structured data, and
 * "event=… key=value …" as MSG, in ASCII.  Local syslog servers, rsyslogd and journald among them, read only what syslog(3) of the C
 * library writes: priority, local time, and "PROGRAM[PID]: "; they take a message of RFC 5424 for one of a program named "1".
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "ops/host.h"
#include "ops/log.h"

enum { SYSLOG_MESSAGE_MAX = LOG_LINE_MAX + 512 };

enum syslog_form { SYSLOG_REMOTE, SYSLOG_LOCAL };

struct syslog_sender {
	enum syslog_form form;
	const char *program; /* static, at most 48 octets; printable, without spaces, as `host` is */
	pid_t pid;
	char host[HOST_NAME_LEN_MAX + 1]; /* "-": not known */
};

/* `line` is one of ops/log.h, with its line end.  Returns the octets written. */
size_t syslog_message(const struct syslog_sender *s, const struct log_stamp *stamp, const char *line, size_t len,
                      char out[SYSLOG_MESSAGE_MAX]);
