#include "ops/thread.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>

void
thread_name(const char *what)
{
	char name[64];
	snprintf(name, sizeof name, "%s-%s", program_invocation_short_name, what);
	(void)prctl(PR_SET_NAME, name);
}

bool
thread_join_within(pthread_t thread, unsigned limit_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	uint64_t ns = (uint64_t)until.tv_nsec + (uint64_t)limit_ms * 1000000;
	until.tv_sec += (time_t)(ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	return pthread_timedjoin_np(thread, NULL, &until) == 0;
}
