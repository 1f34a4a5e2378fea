/* bin/oprimary_opts.h -- what oprimary's command line says, checked; but for the secrets (bin/oprimary_secrets.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/notify_policy.h"
#include "auth/primary.h"
#include "auth/server.h"
#include "base/err.h"
#include "bin/oprimary_secrets.h"
#include "git/remote.h"
#include "net/front.h"
#include "ops/log.h"
#include "ops/memory_limit.h"

/* Memory, in MiB.  By default half of what the system lets us have is for what is served, and a quarter for a fetch: the other quarter
 * is for texts on their way between the two, and for whatever else runs there. */
enum {
	OPTS_MEMORY_MIN_MIB = 32,
	OPTS_MEMORY_UNKNOWN_MIB = 1024,  /* what the system is thought to have when it does not say */
	OPTS_MEMORY_PART = 2,
	OPTS_FETCH_PART = 4,
	OPTS_FETCH_MIN_MIB = 64,
	OPTS_MEMORY_BESIDE_PART = 4,     /* of --memory-max: for connections, queues, and what the allocator cannot give back */
	OPTS_TEXTS_PART = 2,             /* of --memory-max: the texts of one commit */
	OPTS_KEPT_PART = 4,              /* of what zones may take: older versions, kept for transfers */
};

struct opts {
	struct secret_args secrets;   /* not read yet */
	struct git_conf git;          /* without what they tell */
	struct server_conf server;
	struct primary_conf primary;
	struct front_conf front;
	enum notify_whom notify;
	bool is_notify_default;       /* all, but none other than loopback addresses when we listen on these alone */
	unsigned transfers_memory_mib;
	unsigned update_queue, updates_per_key;
	uint32_t poll_s;              /* 0: only when told */
	struct memory_limit memory;   /* that this process may take; `from` may be the option, too */
	bool exit_on_failure;         /* when the first pull brings no zone */
	const char *user;             /* NULL: stay who we are */
	enum log_level log_level;
};

/* Ends the program for --help, --version and wrong usage.  Otherwise the exit status: CLI_OK, or what was
 * wrong has been printed. */
int opts_read(struct opts *o, int argc, char **argv);
void opts_fini(struct opts *o);
