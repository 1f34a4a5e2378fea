/* bin/guard_opts.h -- options against forged addresses and floods: DNS cookies and rate limits.  They are part of daemon_argp
 * (bin/daemon_opts.h).
 *
 * A secret comes from a file, the environment or a credential.  Only the process that answers needs it: other processes that are forked
 * after it was read overwrite their copy with guard_forget().
 */
#pragma once

#include <stdbool.h>

#include "auth/rate_limit.h"
#include "dns/cookie.h"

struct argp;

struct guard_opts {
	bool is_without_cookies;
	bool requires_cookie;
	const char *cookie_secret_file;
	struct cookie_secrets cookies; /* n 0 until guard_up(): one that nobody knows is made up at the start */
	char cookies_from[128];        /* for the log: where they come from */
	struct rate_limit_conf rate;   /* rate 0: no limit */
	const char *rate_option;       /* one that says how to limit; NULL: none was given */
	bool is_rate_given;
};

/* To be called before the command line is read: sets the defaults. */
void guard_init(struct guard_opts *o);

/* Its input is a struct guard_opts. */
extern const struct argp guard_argp;

/* To be called after the command line was read, and before cli_forget_environment(): reads the secrets.  Returns the exit status: CLI_OK,
 * or another one after printing what is wrong. */
int guard_read(struct guard_opts *o);

void guard_forget(struct guard_opts *o);
