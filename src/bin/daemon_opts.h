/* bin/daemon_opts.h -- options that all daemons have: addresses, numbers of threads, memory, and the log.
 *
 * They are a child of the program's own parser (argp(3)), so that --help shows them among its own:
 *
 *     static const struct argp_child children[] = { { &daemon_argp, 0, NULL, 0 }, { 0 } };
 *
 * The program uses the same groups, "Answering:" (2) and "The process:" (3), for its own options.  Its parser passes the struct on:
 *
 *     case ARGP_KEY_INIT: state->child_inputs[0] = &opts->daemon; return 0;
 *
 * --user is not among them, because its meaning depends on the program's processes; the program's parser sets `user`.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/server_conf.h"
#include "base/err.h"
#include "bin/guard_opts.h"
#include "bin/monitor_opts.h"
#include "net/front.h"
#include "ops/log.h"
#include "ops/memory_limit.h"

struct argp;

/* Memory.  By default half of what the system lets this process use is for serving. */
enum {
	DAEMON_MEMORY_MIN_MIB = 32,
	DAEMON_MEMORY_UNKNOWN_MIB = 1024, /* assumed if the system does not tell how much there is */
	DAEMON_MEMORY_PART = 2,
	DAEMON_BESIDE_PART = 4,           /* part of --memory-max for connections, queues, and what the allocator cannot give back */
	DAEMON_KEPT_PART = 4,             /* part of the zones' memory for older versions that are kept for transfers */
};

struct daemon_opts {
	struct front_conf front;
	struct server_conf server;
	struct guard_opts guard;
	struct monitor_opts monitor;
	struct memory_limit memory;  /* for serving; `from` may also be "--memory-max" */
	uint64_t memory_all;         /* octets that the system lets this process use */
	size_t zones_octets_max;     /* part of `memory`: for zones, keys and secondaries */
	size_t kept_octets_max;      /* part of zones_octets_max: for replaced versions that are kept for transfers */
	const char *user;            /* NULL: do not change the user */
	enum log_level log_level;
	bool has_no_sandbox;         /* --no-sandbox */
	struct {                     /* from the command line, for daemon_opts_settle() */
		const char *listen[FRONT_LISTEN_MAX];
		size_t listen_n;
		unsigned port, memory_mib, transfers_memory_mib;
	} given;
};

#define DAEMON_NO_SANDBOX_DOC "Do not limit system calls, files and ports: to find out whether these limits are the reason for a fault"

/* Its input is a struct daemon_opts. */
extern const struct argp daemon_argp;

/* To be called before the command line is read: sets the defaults. */
void daemon_opts_init(struct daemon_opts *o);

/* To be called after it.  Returns the exit status: CLI_OK, or another one after printing what is wrong. */
int daemon_opts_settle(struct daemon_opts *o);

/* The octets that an option gives in MiB.  If it was not given (0), `part`, but at least `least_mib`. */
uint64_t daemon_memory_of(unsigned mib, uint64_t part, unsigned least_mib);
