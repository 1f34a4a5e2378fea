/* ops/signals.h -- signals are for the main process.
 *
 * A service manager or a terminal sends them to all processes of the service (`systemctl kill`, Ctrl-C); the children must not end
 * by one that the main process takes for a wish, nor be ended one by one.  They go when their parent goes.
 */
#pragma once

/* Ignores what can be ignored, but for faults of the program itself, and SIGCHLD. */
void signals_ignore(void);

/* Undoes that, for a program that is executed: what is ignored would stay so. */
void signals_default(void);
