/* bin/daemon_opts.h -- the options that every daemon has: where it answers, with how many threads and how much memory, and what it logs.
 *
 * They are a child of the program's own parser (argp(3)), so that --help shows them among its own:
 *
 *     static const struct argp_child children[] = { { &daemon_argp, 0, NULL, 0 }, { 0 } };
 *
 * The program has groups "Answering:" (2) and "The process:" (3) of its options in common with them.  Its parser hands over the struct:
 *
 *     case ARGP_KEY_INIT: state->child_inputs[0] = &opts->daemon; return 0;
 *
 * --user is not among them, as it depends on the program what its processes become: its parser sets `user`.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/view.h"
#include "base/err.h"
#include "net/front.h"
#include "ops/log.h"
#include "ops/memory_limit.h"

struct argp;

/* Memory.  By default half of what the system lets us have is for what is served. */
enum {
	DAEMON_MEMORY_MIN_MIB = 32,
	DAEMON_MEMORY_UNKNOWN_MIB = 1024, /* what the system is thought to have when it does not say */
	DAEMON_MEMORY_PART = 2,
	DAEMON_BESIDE_PART = 4,           /* of --memory-max: for connections, queues, and what the allocator cannot give back */
	DAEMON_KEPT_PART = 4,             /* of what zones may take: older versions, kept for transfers */
};

struct daemon_opts {
	struct front_conf front;
	struct server_conf server;
	struct memory_limit memory;  /* that this process may take; `from` may be the option, too */
	uint64_t memory_all;         /* octets that the system lets us have */
	size_t zones_octets_max;     /* of `memory`: what zones may take */
	size_t kept_octets_max;      /* of these: what was replaced and is kept for transfers */
	const char *user;            /* NULL: stay who we are */
	enum log_level log_level;
	struct {                     /* as the command line has it, before daemon_opts_settle() */
		const char *listen[FRONT_LISTEN_MAX];
		size_t listen_n;
		unsigned port, memory_mib, transfers_memory_mib;
	} given;
};

/* Its input is a struct daemon_opts. */
extern const struct argp daemon_argp;

/* Before the command line is read: what holds where no option says otherwise. */
void daemon_opts_init(struct daemon_opts *o);

/* After it.  The exit status: CLI_OK, or what was wrong has been printed. */
int daemon_opts_settle(struct daemon_opts *o);

/* What an option says in MiB (0: it was not given), or else a part of what there is, in octets. */
uint64_t daemon_memory_of(unsigned mib, uint64_t part, unsigned least_mib);
