/* image/timekeeper.h -- a process that keeps the clock right, by the time of servers (image/sntp.h).
 *
 * It is nobody, and may set the clock and nothing else.
 */
#pragma once

#include <stdint.h>

#include "image/settings.h"
#include "ops/log.h"

struct timekeeper {
	const struct settings *settings; /* has time servers */
	const struct log *log;
	int64_t floor_ns; /* since 1970: a time that is surely past */
	int told;         /* a descriptor that is written to when the clock is right for the first time; -1: none */
};

/* The process itself.  Returns only when it cannot begin. */
void timekeeper_run(struct timekeeper *t);
