/* ops/thread.h -- names a thread, waits for a thread to end, for a limited time, and ends its waiting. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/* Names the calling thread PROGRAM-WHAT, as people see it in top -H.  Linux keeps 15 characters. */
void thread_name(const char *what);

/* Joins the thread if it ends within `limit_ms`.  False: it still runs, and is not joined. */
bool thread_join_within(pthread_t thread, unsigned limit_ms);

/* From here on the system calls of the calling thread can be interrupted (EINTR) by thread_end().  This uses SIGUSR2, which does nothing
 * else. */
void thread_allow_end(void);

/* Joins a thread that has called thread_allow_end(), and ends by itself when no system call holds it: they are interrupted until then. */
void thread_end(pthread_t thread);
