/* bin/monitor_opts.h -- options about who watches a daemon, which all daemons have.
 *
 * They are a child of daemon_argp, and of the parser of a daemon that answers nobody.
 */
#pragma once

#include "net/listen.h"
#include "ops/log_syslog.h"

struct argp;

struct monitor_opts {
	struct listen_address http; /* where metrics are told; len 0: nowhere */
	struct listen_address to;    /* where metrics are sent; len 0: nowhere */
	const char *to_text;         /* the same as it was given */
	unsigned interval_s;
	struct log_syslog_to syslog; /* where lines of the log go as well */
	const char *syslog_text;     /* the same as it was given */
};

/* Its input is a struct monitor_opts. */
extern const struct argp monitor_argp;
