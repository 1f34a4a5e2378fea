/* bin/daemon.h -- what all daemons do in the same way: start in stages and stop in reverse order, obey signals, tell the service manager
 * their state, and watch their threads.
 *
 *     static struct daemon d = { .program = &program, .opts = &opts, .ctx = &mine };
 *
 *     daemon_begin();
 *     … read the command line (bin/daemon_opts.h) …
 *     return daemon_run(&d);
 *
 * The stages that daemons have in common are declared below.  A program's table lists them in order, with its own stages in between.
 *
 * Threads: the main thread, except for functions that say otherwise.
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
#include "ops/sandbox.h"

struct chart;
struct daemon;
struct monitor;
struct served;
struct survey;

/* A stage that fails cleans up after itself, and puts the reason into `diag`. */
struct daemon_stage {
	const char *name;
	err_t (*up)(struct daemon *d);
	void (*down)(struct daemon *d); /* NULL: nothing to undo */
};

/* The parts that differ between programs.  Functions may be NULL. */
struct daemon_program {
	const char *name;
	const struct daemon_stage *stages; /* in the order in which they come up */
	size_t stages_n;
	void (*sandbox)(struct daemon *d, struct sandbox_conf *c); /* adds what the program needs; NULL: SANDBOX_SERVER, and no port */
	size_t files;                      /* descriptors needed besides those of the front */
	void (*reload)(struct daemon *d);  /* SIGHUP */
	void (*poll)(struct daemon *d);    /* every poll_s seconds */
	void (*log_stats)(struct daemon *d); /* SIGUSR1, and at the end */
	void (*log_state)(struct daemon *d); /* SIGUSR1, after log_stats() */
	bool (*look)(struct daemon *d, uint64_t now_ms); /* about once a second; true: all is well besides our own threads */
	/* With --metrics, on the thread that tells them: adds what is known.  False: something is missing, as another thread was too
	 * busy; *s NULL: that one has the survey still, and frees it (bin/survey_share.h). */
	bool (*survey)(struct daemon *d, struct survey **s);
	const struct chart *charts;        /* of the page for people */
	size_t charts_n;
};

struct daemon {
	/* set by the program before daemon_run(); borrowed */
	const struct daemon_program *program;
	struct daemon_opts *opts;
	void *ctx;               /* for the program */
	uint32_t poll_s;         /* 0: never poll */
	bool exits_without_zones; /* end if there are no zones at the first daemon_tell_served() */
	/* set by a stage before daemon_workers_up() */
	struct net_env env;
	/* the rest is zero */
	uint64_t started_s;      /* since 1970 */
	struct monitor *monitor; /* NULL: without --metrics and --monitor */
	void (*unpinned)(void *ctx); /* the program's: a version of the views has no reader any more */
	struct log log;
	struct log_limits log_limits;
	struct diag diag;        /* why a stage failed */
	struct front front;
	struct net_stats beside; /* of requests that come beside the front; one thread counts */
	struct health health;
	bool is_well;            /* all threads are alive */
	bool is_stuck, is_log_stuck; /* a thread has not ended, so what it uses is not freed */
	bool is_failure_told;    /* set by a stage that has printed the reason of its failure itself, or was ended by a signal */
	int failure_status;      /* the exit status in that case */
	_Atomic int status;      /* the exit status otherwise */
	uint64_t watchdog_told_ms; /* when WATCHDOG=1 was last sent */
	bool is_settled, is_ready; /* daemon_tell_served() was called; it was called with zones */
	bool is_unlocked_told;     /* that keys are in memory that may be swapped */
	size_t told_zones;         /* by daemon_tell_transferred() */
};

/* The first call in main().  From here on, standard descriptors are open, no core dumps are written, and HUP and USR1 wait.  TERM and INT
 * end the process at once until daemon_run(); from then on they wait, too, until the main thread takes them. */
void daemon_begin(void);

/* Brings all stages up, runs until SIGTERM or SIGINT, and brings them down.  Returns the exit status.  If a thread is stuck, the process
 * ends here without destructors, because that thread may still use anything. */
int daemon_run(struct daemon *d);

/* Any thread: makes daemon_run() end with that status.  The caller has logged the reason. */
void daemon_end(struct daemon *d, int status);

/* Called by one thread each time it has found out what there is to serve: the number of zones, and the same as a text.  The first call
 * sends READY=1 to the service manager, even without zones: the sockets are open, a failed pull is tried again, and other services would
 * gain nothing by waiting longer.  But STATUS and the log do not say "ready" before there are zones. */
void daemon_tell_served(struct daemon *d, size_t zones, const char *status);

/* The same for a daemon whose zones come by transfer, after each change of them: nothing is said as long as the number stays. */
void daemon_tell_transferred(struct daemon *d, size_t zones);

/* Logs that the secrets of keys, or of the remote (`of`: "keys", "remote"), may be written to swap; `why`: errno(3); 0: they may not. */
void daemon_say_unlocked(const struct daemon *d, const char *of, int why);

/* Any thread: logs the counters of requests, connections and the log: stats.  `zones_octets`: memory that zones and keys take. */
void daemon_log_stats(const struct daemon *d, struct served *served, size_t zones_octets);

/* ---- stages ---- */

/* No stage before "privileges" may read octets that come from others.  No stage before "log" may start a thread, because fork() and changes
 * of credentials concern only the thread that calls. */
err_t daemon_manager_up(struct daemon *d); /* opens the service manager's socket, which may be out of reach later */
err_t daemon_syslog_up(struct daemon *d);  /* --syslog, for the lines from here on; later there are no new local sockets */
void daemon_syslog_down(struct daemon *d);
err_t daemon_files_up(struct daemon *d);
err_t daemon_listen_up(struct daemon *d);  /* ports below 1024 need privileges */
void daemon_listen_down(struct daemon *d);
err_t daemon_privs_up(struct daemon *d);   /* daemon_become(), and a line in the log */
err_t daemon_sandbox_up(struct daemon *d); /* after the privileges, and before what strangers say is read */
err_t daemon_guard_up(struct daemon *d);   /* cookies and rate limits; before the workers */
void daemon_guard_down(struct daemon *d);
err_t daemon_log_up(struct daemon *d);     /* from here on, only the ring's thread waits for the reader of the log */
void daemon_log_down(struct daemon *d);
err_t daemon_workers_up(struct daemon *d);
void daemon_workers_down(struct daemon *d);
err_t daemon_health_up(struct daemon *d);  /* watches the workers; a program's own stage adds its threads with health_add() */
void daemon_health_down(struct daemon *d); /* sets is_stuck when a thread hangs */

#define DAEMON_STAGE_MANAGER { "service manager", daemon_manager_up, NULL }
#define DAEMON_STAGE_SYSLOG { "syslog", daemon_syslog_up, daemon_syslog_down }
#define DAEMON_STAGE_FILES { "open files", daemon_files_up, NULL }
#define DAEMON_STAGE_LISTEN { "listeners", daemon_listen_up, daemon_listen_down }
#define DAEMON_STAGE_PRIVS { "privileges", daemon_privs_up, NULL }
#define DAEMON_STAGE_SANDBOX { "sandbox", daemon_sandbox_up, NULL }
#define DAEMON_STAGE_GUARD { "guard", daemon_guard_up, daemon_guard_down }
#define DAEMON_STAGE_LOG { "log", daemon_log_up, daemon_log_down }
#define DAEMON_STAGE_WORKERS { "workers", daemon_workers_up, daemon_workers_down }
#define DAEMON_STAGE_HEALTH { "health", daemon_health_up, daemon_health_down }

/* The user that the process is to become. */
err_t daemon_find_user(struct daemon *d, struct privs_who *out);

/* The user that the process has become, for the log. */
struct daemon_user {
	char name[PRIVS_NAME_MAX];
	enum log_level level;
	const char *hint; /* static; "": all is well */
};

/* Drops all privileges.  The process becomes --user; root without --user becomes a user with few rights. */
err_t daemon_become(struct daemon *d, struct daemon_user *out);
