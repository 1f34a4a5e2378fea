/* ops/log_syslog.h -- the lines of the log, sent to a syslog server as well: datagrams by UDP (RFC 5426), or to a local socket.
 *
 * Nothing waits, and nothing fails because of the server.  A line that cannot be sent is counted and forgotten.  If the server could not
 * be reached, or has gone, connecting is tried again with a line, at most once in LOG_SYSLOG_RETRY_MS.  That needs no new socket, so it
 * also works in the sandbox: a local server may be started anew.
 *
 * Threads: one at a time; log_syslog_lost() on any.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/diag.h"
#include "base/err.h"
#include "ops/log.h"

enum { LOG_SYSLOG_RETRY_MS = 1000 };

struct log_syslog_to {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	} sa;
	socklen_t len; /* 0: nowhere */
};

struct log_syslog;

/* Opens the socket, and connects it if it can: *why is NULL, or says why it could not, which is no error.  `program` is borrowed.  E_IO: no
 * socket. */
err_t log_syslog_open(const struct log_syslog_to *to, const char *program, struct log_syslog **out, const char **why, struct diag *diag);
void log_syslog_close(struct log_syslog **s); /* NULL-safe, as the functions below */

/* `line` is one of ops/log.h, with its line end. */
void log_syslog_send(struct log_syslog *s, const struct log_stamp *stamp, const char *line, size_t len);

/* Lines that were not sent, or came back because nobody was there; since the start. */
uint64_t log_syslog_lost(const struct log_syslog *s);
