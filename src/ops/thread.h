/* ops/thread.h -- waiting for a thread, but not for ever. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/* Joins the thread if it ends within that time.  False: it still runs, and is not joined. */
bool thread_join_within(pthread_t thread, unsigned limit_ms);
