/* git/run.h -- private to src/git: runs the program git, and collects what it prints.
 *
 * git gets an empty standard input.  It gets a process group of its own, so that it can be ended together with the
 * programs that it has started.  Its environment has no variables that name another repository, and no secrets.  The
 * limits of this process (memory, priority) hold for git, too.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/str.h"

enum {
	GIT_RUN_PRINTED_MAX = 1 << 16, /* octets kept of standard output, and of standard error; the rest is read and dropped */
	GIT_RUN_NO_PROGRAM = 127,      /* exit status when there is no git where PATH leads */
};

struct git_run_in {
	const char *const *argv; /* argv[0] is "git"; ends with NULL */
	int death_signal;        /* git gets it when this process dies */
	int kept;                /* a descriptor that git inherits under the same number; -1: none */
	bool gives_way;          /* git runs at a lower priority */
};

struct git_run {
	pid_t pid;
	int out, err;              /* pipes from git's standard output and error; -1: closed, or never opened */
	struct str printed, words; /* the octets that came from `out` and from `err` so far */
	int status;                /* as waitpid() has it, when is_over */
	bool is_over;
};

#define GIT_RUN_NONE ((struct git_run){ .out = -1, .err = -1 })

/* `r` is GIT_RUN_NONE before.  E_IO: no process can be started.  A git that is not installed shows later, as
 * GIT_RUN_NO_PROGRAM. */
err_t git_run_start(struct git_run *r, const struct git_run_in *in, struct diag *diag);

/* Waits at most `ms` for something to read.  True: something came, or a pipe was closed. */
bool git_run_read(struct git_run *r, int ms);

/* True when git has ended.  `out` and `err` may still be open then: a hook may have left a process behind. */
bool git_run_look(struct git_run *r);

void git_run_wait(struct git_run *r);                 /* until git has ended */
void git_run_kill_all(struct git_run *r, int signal); /* git and all programs that it has started */

/* True when git could not run because it is not installed. */
bool git_run_is_absent(const struct git_run *r);

void git_run_fini(struct git_run *r); /* does not end git */
