/* ops/thread.h -- names a thread, and waits for a thread to end, for a limited time. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/* Names the calling thread PROGRAM-WHAT, as people see it in top -H.  Linux keeps 15 characters. */
void thread_name(const char *what);

/* Joins the thread if it ends within `limit_ms`.  False: it still runs, and is not joined. */
bool thread_join_within(pthread_t thread, unsigned limit_ms);
