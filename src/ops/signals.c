#include "ops/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

static bool
is_of_the_program(int number)
{
	static const int own[] = {
		SIGKILL, SIGSTOP, SIGCONT, SIGCHLD, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP, SIGXCPU, SIGXFSZ,
	};
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (number == own[i]) {
			return true;
		}
	}
	return number >= __SIGRTMIN && number < SIGRTMIN; /* the C library's */
}

static void
set_all(void (*handler)(int))
{
	for (int number = 1; number <= SIGRTMAX; number++) {
		if (!is_of_the_program(number)) {
			(void)signal(number, handler);
		}
	}
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
