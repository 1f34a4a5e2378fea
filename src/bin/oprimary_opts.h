/* bin/oprimary_opts.h -- what oprimary's command line says, checked; but for the secrets (bin/oprimary_secrets.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/notify_policy.h"
#include "auth/primary.h"
#include "base/err.h"
#include "bin/daemon_opts.h"
#include "bin/oprimary_secrets.h"
#include "git/remote.h"
#include "net/listen.h"

/* Memory, besides what daemon_opts.h says.  By default a quarter of what the system lets us have is for a fetch, while half is for what is
 * served: the other quarter is for texts on their way between the two, and for whatever else runs there. */
enum {
	OPTS_FETCH_PART = 4,
	OPTS_FETCH_MIN_MIB = 64,
	OPTS_TEXTS_PART = 2,          /* of --memory-max: the texts of one commit */
};

struct opts {
	struct daemon_opts daemon;
	struct secret_args secrets;   /* not read yet */
	struct git_conf git;          /* without what they tell */
	struct primary_conf primary;
	enum notify_whom notify;
	struct listen_address notify_from_v4, notify_from_v6; /* len 0: not given */
	bool is_notify_default;       /* all, but none other than loopback addresses when we listen on these alone */
	unsigned update_queue, updates_per_key;
	uint32_t poll_s;              /* 0: only when told */
	bool exit_on_failure;         /* when the first pull brings no zone */
};

/* Ends the program for --help, --version and wrong usage.  Otherwise the exit status: CLI_OK, or what was
 * wrong has been printed. */
int opts_read(struct opts *o, int argc, char **argv);
void opts_fini(struct opts *o);
