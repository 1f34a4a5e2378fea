#include "ops/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "base/err.h"

static const int requests[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };

static bool
is_never_ignored(int number)
{
	static const int own[] = {
		SIGKILL, SIGSTOP, SIGCONT, SIGCHLD, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP, SIGXCPU, SIGXFSZ,
	};
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (number == own[i]) {
			return true;
		}
	}
	return number >= __SIGRTMIN && number < SIGRTMIN; /* signals of the C library */
}

static void
set_all(void (*handler)(int))
{
	for (int number = 1; number <= SIGRTMAX; number++) {
		if (!is_never_ignored(number)) {
			(void)signal(number, handler);
		}
	}
}

sigset_t
signals_held(void)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		sigaddset(&set, requests[i]);
	}
	return set;
}

void
signals_hold(void)
{
	static const int unwanted[] = { SIGPIPE, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT };
	sigset_t set = signals_held();
	sigaddset(&set, SIGUSR2); /* threads that want it let it in (ops/thread.h) */
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		(void)signal(requests[i], SIG_DFL);
	}
	for (size_t i = 0; i < ARRAY_LEN(unwanted); i++) {
		(void)signal(unwanted[i], SIG_IGN);
	}
	for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
		(void)signal(number, SIG_IGN);
	}
}

static void
end_at_once(int number)
{
	(void)number;
	_exit(0);
}

void
signals_let_end(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	(void)signal(SIGTERM, end_at_once);
	(void)signal(SIGINT, end_at_once);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void
signals_ignore(void)
{
	set_all(SIG_IGN);
}

void
signals_default(void)
{
	set_all(SIG_DFL);
	(void)signal(SIGCHLD, SIG_DFL);
}
