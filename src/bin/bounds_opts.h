/* bin/bounds_opts.h -- options for bounds of the times in SOA records, of daemons that follow primaries: a child of the program's own
 * parser, as those of bin/daemon_opts.h are.
 */
#pragma once

#include "auth/follower.h"

struct argp;

/* Its input is a struct follow_bounds, after bounds_opts_init(). */
extern const struct argp bounds_argp;

void bounds_opts_init(struct follow_bounds *b);

/* When all options were read.  Returns the exit status: CLI_OK, or another one after printing what is wrong. */
int bounds_opts_settle(const struct follow_bounds *b);
