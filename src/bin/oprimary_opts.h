/* bin/oprimary_opts.h -- reads and checks oprimary's command line, except the secrets (bin/oprimary_secrets.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/primary.h"
#include "base/err.h"
#include "bin/daemon_opts.h"
#include "bin/notify_opts.h"
#include "bin/oprimary_secrets.h"
#include "git/remote.h"

/* Memory, besides what daemon_opts.h says.  By default half of the system's memory is for serving and a quarter for a fetch.  The last
 * quarter is for texts that are passed from the fetch to the loader, and for other programs. */
enum {
	OPTS_FETCH_PART = 4,
	OPTS_FETCH_MIN_MIB = 64,
	OPTS_TEXTS_PART = 2,          /* part of --memory-max for the texts of one commit */
};

struct opts {
	struct daemon_opts daemon;
	struct secret_args secrets;   /* not read yet */
	struct git_conf git;          /* without the remote and the secrets */
	struct primary_conf primary;
	struct notify_opts notify;
	unsigned update_queue, updates_per_key;
	uint32_t poll_s;              /* 0: do not poll */
	bool exit_on_failure;         /* end if the first pull brings no zone */
};

/* Ends the program for --help, --version and wrong usage.  Otherwise returns the exit status: CLI_OK, or another one after printing what is
 * wrong. */
int opts_read(struct opts *o, int argc, char **argv);
void opts_fini(struct opts *o);
