/* image/child.h -- a process of the machine that is started, and started again when it has ended. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ops/log.h"
#include "ops/restarts.h"

struct child {
	/* set by the owner */
	const char *name;
	void (*run)(void *ctx); /* in the new process, which ends with status 1 when it returns */
	void *ctx;
	/* the rest is zero */
	pid_t pid;        /* 0: it does not run */
	uint64_t began_ms, due_ms; /* when it was started, and when it is to be started again */
	struct restarts restarts;
};

/* Starts it, if it is due. */
void child_look(struct child *c, const struct log *log, uint64_t now_ms);

/* True when that process was this child: it is due again after a pause, which the log says, and why. */
bool child_has_ended(struct child *c, const struct log *log, pid_t pid, int status, uint64_t now_ms);
