#include "ops/thread.h"

#include <errno.h>
#include <signal.h>
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

static void
on_interrupt(int number)
{
	(void)number;
}

void
thread_allow_end(void)
{
	const struct sigaction action = { .sa_handler = on_interrupt }; /* without SA_RESTART */
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	(void)sigaction(SIGUSR2, &action, NULL);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void
thread_end(pthread_t thread)
{
	enum { AGAIN_MS = 5 }; /* the signal may come just before the thread begins to wait */
	do {
		(void)pthread_kill(thread, SIGUSR2);
	} while (!thread_join_within(thread, AGAIN_MS));
}
