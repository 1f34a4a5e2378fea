/* ops/signals.h -- signals are for the main process.
 *
 * A service manager or a terminal sends them to all processes of the service (`systemctl kill`, Ctrl-C); the children must not end
 * by one that the main process takes for a wish, nor be ended one by one.  They go when their parent goes.
 */
#pragma once

#include <signal.h>

/* For the main process, before anything else: those that are wishes (TERM, INT, HUP, USR1) are held until it takes them
 * (sigwaitinfo(2)), whatever whoever started us does with them (nohup(1) ignores HUP); others that would end it are ignored. */
void signals_hold(void);

/* After that, until it is called again: TERM and INT end the process at once, with status 0.  For what comes before anything has begun,
 * and may wait for whoever reads what it says. */
void signals_let_end(void);

/* The wishes. */
sigset_t signals_held(void);

/* Ignores what can be ignored, but for faults of the program itself, and SIGCHLD. */
void signals_ignore(void);

/* Undoes that, for a program that is executed: what is ignored would stay so. */
void signals_default(void);
