/* ops/signals.h -- signals are for the main process; its child processes ignore them.
 *
 * A service manager or a terminal sends a signal to all processes of a service (`systemctl kill`, Ctrl-C).  For the main process, TERM,
 * INT, HUP and USR1 are requests.  A child must not end because of one, so it ignores them, and ends when its parent ends.
 */
#pragma once

#include <signal.h>

/* For the main process, before anything else.  Holds the requests (TERM, INT, HUP, USR1) until the process takes them (sigwaitinfo(2)),
 * even if the program that started us ignored them (nohup(1) ignores HUP).  Ignores other signals that would end the process, but for USR2,
 * which threads of ours use (ops/thread.h), and is blocked in all others. */
void signals_hold(void);

/* From here until the next signals_hold(), TERM and INT end the process at once, with status 0.  This is for the time before anything has
 * been started, when the process may have to wait for the reader of its output. */
void signals_let_end(void);

/* The set of requests. */
sigset_t signals_held(void);

/* For child processes: ignores every signal that can be ignored, except SIGCHLD and those that report faults of the program itself. */
void signals_ignore(void);

/* Undoes signals_ignore() before another program is executed, because that program would inherit ignored signals. */
void signals_default(void);
