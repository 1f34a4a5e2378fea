/* ops/thread.h -- the name of a thread, and waiting for one, but not for ever. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/* The calling thread is called PROGRAM-WHAT, for people (top -H); Linux keeps 15 characters of it. */
void thread_name(const char *what);

/* Joins the thread if it ends within that time.  False: it still runs, and is not joined. */
bool thread_join_within(pthread_t thread, unsigned limit_ms);
