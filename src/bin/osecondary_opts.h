/* bin/osecondary_opts.h -- reads and checks osecondary's command line. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/follower.h"
#include "bin/bounds_opts.h"
#include "bin/daemon_opts.h"
#include "bin/notify_opts.h"
#include "bin/follow_keys.h"
#include "net/listen.h"

struct secondary_opts {
	struct daemon_opts daemon;
	struct notify_opts notify;
	struct follow_keys_args key_args;
	struct listen_address primaries[FOLLOW_PRIMARIES_MAX];
	size_t primaries_n;
	struct follow_catalogs catalogs;
	struct follow_bounds bounds;
	unsigned transfers_max;       /* in, at a time */
	uint64_t zone_octets_max;     /* memory of one zone; 0: only that of all */
	size_t records_max;           /* of one zone; 0: no limit */
	const char *state_dir;        /* NULL: nothing is written */
	struct keystore *keys;        /* owned */
	struct follow_source *sources; /* owned; they borrow the keys */
	size_t sources_n;
};

/* Ends the program for --help, --version and wrong usage.  Otherwise returns the exit status: CLI_OK, or another one after printing what is
 * wrong.  Reads the keys, too. */
int secondary_opts_read(struct secondary_opts *o, int argc, char **argv);
void secondary_opts_fini(struct secondary_opts *o);
