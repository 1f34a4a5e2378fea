/* bin/notify_opts.h -- NOTIFY in all daemons that have secondaries: its options, a child of the program's own parser, as those of
 * bin/daemon_opts.h are; and how the notifier starts and ends with them.
 */
#pragma once

#include "auth/notify_policy.h"
#include "bin/daemon.h"
#include "net/listen.h"
#include "net/notify_out.h"

struct argp;

struct notify_opts {
	enum notify_whom whom;
	struct listen_address from_v4, from_v6; /* len 0: not given */
	bool is_default;    /* --notify was not given: if we listen on loopback addresses alone, only such addresses are told */
};

/* Its input is a struct notify_opts, with the program's defaults. */
extern const struct argp notify_argp;

/* The notifier of a daemon.  The program has set wake(), its other callbacks and `pulse`; the workers are there. */
err_t notify_up(struct daemon *d, const struct notify_opts *o, struct served *served, struct notify_out *out);
void notify_down(const struct daemon *d, struct notify_out *out);
