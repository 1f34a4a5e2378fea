/* ops/sandbox.h -- takes from a process what it does not need: system calls (seccomp), files and TCP ports (Landlock), and limits that it
 * could raise.
 *
 * To be called after privileges were dropped (ops/privs.h), and before the first thread: Landlock binds the thread that calls, and threads
 * and processes that it makes.  Nothing of it can be undone.  A kernel that cannot do a part of it still does the rest, and the state
 * says what does not hold.
 *
 * A call that the filter does not allow fails: see ops/sandbox_calls.c, which has the lists.  Once for each such call the log gets a line
 * `forbidden-call`.  No library that we use has a reason to start a program or to read another process.  So these calls end the process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/diag.h"
#include "base/err.h"
#include "ops/log.h"

enum sandbox_role {
	SANDBOX_SERVER,     /* answers strangers; opens no file */
	SANDBOX_STORE,      /* the same, with files in a directory */
	SANDBOX_ACME,       /* speaks to a CA: TLS, names of hosts; listens to nobody but where it did before (--metrics) */
	SANDBOX_GIT,        /* keeper, supervisor and worker of a remote that is reached over the network: they start no program */
	SANDBOX_GIT_WORKER, /* in a process of SANDBOX_GIT that reads what the remote sends: it starts no process either */
	SANDBOX_GIT_LOCAL,  /* the same processes, git and its hooks, for a remote on this machine: no file or port is forbidden to them */
	SANDBOX_ROLES,
};

enum { SANDBOX_PORTS_MAX = 64, SANDBOX_PLACES_MAX = 32, SANDBOX_MISSING_MAX = 160 };

enum sandbox_access {
	SANDBOX_READ,   /* files and directories at and below the place, but no programs to execute */
	SANDBOX_WRITE,  /* besides, it makes, writes and removes files and directories below it */
};

struct sandbox_place {
	int fd;
	enum sandbox_access access;
};

/* Ready for use when `role` is set and the rest is zero. */
struct sandbox_conf {
	enum sandbox_role role;
	bool is_any_port;      /* it may connect to all TCP ports */
	pid_t child;           /* besides itself, it may signal this process, and wait for it; 0: none */
	const struct log *log; /* borrowed; where forbidden calls are reported */
	/* by the functions below */
	struct sandbox_place places[SANDBOX_PLACES_MAX];
	size_t places_n;
	uint16_t ports[SANDBOX_PORTS_MAX];
	size_t ports_n;
};

/* The functions that add places open them, and sandbox_enter() closes them.  A place that is not there, or whose path is NULL, is left
 * out.  Places are for roles other than SANDBOX_GIT_LOCAL. */
void sandbox_add_place(struct sandbox_conf *c, const char *path, enum sandbox_access access);
void sandbox_add_dir(struct sandbox_conf *c, int dir); /* of an open directory, to write there */

/* Adds the directory that the file is in, to read there: a file that is replaced is another one for the kernel. */
void sandbox_add_beside(struct sandbox_conf *c, const char *path);

/* Adds the places and the port (53) of a program that asks for addresses of hosts and verifies certificates.  If the environment names a
 * proxy, all ports. */
void sandbox_add_system(struct sandbox_conf *c);

/* Adds a TCP port to which it may connect.  When there are too many, all are allowed. */
void sandbox_add_port(struct sandbox_conf *c, uint16_t port);

/* What holds. */
struct sandbox_state {
	bool has_calls;  /* the filter of system calls */
	int landlock;    /* the version of Landlock; 0: none */
	bool has_ports;  /* TCP ports are limited, too */
	char missing[SANDBOX_MISSING_MAX]; /* what the kernel refused, and why; "": nothing */
};

/* E_NOMEM: the filter cannot be made.  E_IO: a limit cannot be set.  What the kernel cannot do is no error. */
err_t sandbox_enter(struct sandbox_conf *c, struct sandbox_state *out, struct diag *diag);

/* Logs what holds. */
void sandbox_say(const struct log *log, enum sandbox_role role, const struct sandbox_state *s);

/* In a process of SANDBOX_GIT: becomes SANDBOX_GIT_WORKER.  In any other it does nothing.  As sandbox_enter(). */
err_t sandbox_enter_worker(struct diag *diag);
