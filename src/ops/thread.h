/* ops/thread.h -- the name of a thread, and waiting for one, but not for ever. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/* The calling thread's, for people (top -H); 15 characters at most. */
void thread_name(const char *name);

/* Joins the thread if it ends within that time.  False: it still runs, and is not joined. */
bool thread_join_within(pthread_t thread, unsigned limit_ms);
