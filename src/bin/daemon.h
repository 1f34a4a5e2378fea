/* bin/daemon.h -- what every daemon does in the same way: it comes up in stages and goes down in reverse, obeys signals, tells the
 * service manager how it is, and looks after its threads.
 *
 *     static struct daemon d = { .program = &program, .opts = &opts, .ctx = &mine };
 *
 *     daemon_begin();
 *     … read the command line (bin/daemon_opts.h) …
 *     return daemon_run(&d);
 *
 * Stages that daemons have in common are below; a program's table puts them in order, with its own between them.
 *
 * Threads: the main thread, but for functions that say otherwise.
 */
#pragma once

#include <stdatomic.h>

#include "base/diag.h"
#include "base/err.h"
#include "bin/daemon_opts.h"
#include "net/env.h"
#include "net/front.h"
#include "ops/health.h"
#include "ops/log.h"
#include "ops/privs.h"

struct daemon;

/* A stage that fails has cleaned up after itself, and has said why in `diag`. */
struct daemon_stage {
	const char *name;
	err_t (*up)(struct daemon *d);
	void (*down)(struct daemon *d); /* NULL: nothing to undo */
};

/* What a program does in its own way.  Functions may be NULL. */
struct daemon_program {
	const struct daemon_stage *stages; /* from the first to the last that comes up */
	size_t stages_n;
	size_t files;                      /* descriptors that it needs besides those of its front */
	void (*reload)(struct daemon *d);  /* SIGHUP */
	void (*poll)(struct daemon *d);    /* each time poll_s have passed */
	void (*log_stats)(struct daemon *d); /* SIGUSR1, and at the end */
	bool (*look)(struct daemon *d, uint64_t now_ms); /* about once a second: is all well that is not a thread of ours? */
};

struct daemon {
	/* set by the program before daemon_run(); borrowed */
	const struct daemon_program *program;
	const struct daemon_opts *opts;
	void *ctx;               /* the program's own */
	uint32_t poll_s;         /* 0: never */
	bool exits_without_zones; /* when there are none at the first daemon_tell_served() */
	/* set by a stage before daemon_workers_up() */
	struct net_env env;
	/* the rest is zero */
	struct log log;
	struct log_limits log_limits;
	struct diag diag;        /* why a stage failed */
	struct front front;
	struct health health;
	bool is_well;            /* every thread beats */
	bool is_stuck, is_log_stuck; /* a thread runs on: what it uses is not freed */
	bool is_failure_told;    /* set by a stage that has printed why the start came to nothing, or that a signal ended, */
	int failure_status;      /* with which to end then */
	_Atomic int status;      /* with which to end; CLI_OK: nothing is wrong */
	uint64_t watchdog_told_ms; /* when the service manager last heard that all is well */
	bool is_settled, is_ready; /* daemon_tell_served() */
};

/* First of all in main(): signals wait from here on, standard descriptors are open, nothing dumps core. */
void daemon_begin(void);

/* Brings all stages up, runs until SIGTERM or SIGINT, and brings them down.  The exit status.  Does not return when a thread is stuck: the
 * process ends, for no destructor may run under that. */
int daemon_run(struct daemon *d);

/* Any thread: daemon_run() is to end, with that status.  The reason has been logged. */
void daemon_end(struct daemon *d, int status);

/* One thread, each time it has found out what there is to serve: so many zones, and that in words.  At the first time the service manager
 * hears READY=1, whatever there is: the sockets are open, what is missing is tried again by itself, and others that wait for us would
 * gain nothing.  Its STATUS, and our log, do not say so before there are zones. */
void daemon_tell_served(struct daemon *d, size_t zones, const char *status);

/* ---- stages ---- */

/* Nothing before "privileges" may read octets that came from others, and nothing before "log" may start a thread: fork and credentials
 * would not go with that. */
err_t daemon_manager_up(struct daemon *d); /* the service manager's socket, which may be out of reach later */
err_t daemon_files_up(struct daemon *d);
err_t daemon_listen_up(struct daemon *d);  /* ports below 1024 need privileges */
void daemon_listen_down(struct daemon *d);
err_t daemon_privs_up(struct daemon *d);   /* daemon_become(), and a line in the log */
err_t daemon_log_up(struct daemon *d);     /* from here on nobody waits for the reader of the log */
void daemon_log_down(struct daemon *d);
err_t daemon_workers_up(struct daemon *d);
void daemon_workers_down(struct daemon *d);
err_t daemon_health_up(struct daemon *d);  /* of the workers; a program's own adds threads with health_add() */
void daemon_health_down(struct daemon *d); /* sets is_stuck when a thread hangs */

#define DAEMON_STAGE_MANAGER { "service manager", daemon_manager_up, NULL }
#define DAEMON_STAGE_FILES { "open files", daemon_files_up, NULL }
#define DAEMON_STAGE_LISTEN { "listeners", daemon_listen_up, daemon_listen_down }
#define DAEMON_STAGE_PRIVS { "privileges", daemon_privs_up, NULL }
#define DAEMON_STAGE_LOG { "log", daemon_log_up, daemon_log_down }
#define DAEMON_STAGE_WORKERS { "workers", daemon_workers_up, daemon_workers_down }
#define DAEMON_STAGE_HEALTH { "health", daemon_health_up, daemon_health_down }

/* Whom the process has become, for the log. */
struct daemon_user {
	char name[PRIVS_NAME_MAX];
	enum log_level level;
	const char *hint; /* static, "" where all is well */
};

/* Drops all privileges: becomes --user, or who may do nothing when root has named nobody. */
err_t daemon_become(struct daemon *d, struct daemon_user *out);
