/* Counters, and what else belongs to them, that one thread changes and another one waits for. */
#pragma once

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

struct awaiting {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned limit_ms; /* so long it may take */
};

static inline void
awaiting_init(struct awaiting *a, unsigned limit_ms)
{
	a->limit_ms = limit_ms;
	assert_int_equal(pthread_mutex_init(&a->lock, NULL), 0);
	assert_int_equal(pthread_cond_init(&a->changed, NULL), 0);
}

static inline void
awaiting_fini(struct awaiting *a)
{
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
}

/* Between the two a thread reads and changes what is shared. */
static inline void
awaiting_begin(struct awaiting *a)
{
	pthread_mutex_lock(&a->lock);
}

static inline void
awaiting_end(struct awaiting *a)
{
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

/* Until a counter has that value. */
static inline void
await(struct awaiting *a, const unsigned *counter, unsigned want)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += a->limit_ms / 1000;
	pthread_mutex_lock(&a->lock);
	int err = 0;
	while (*counter < want && err == 0) {
		err = pthread_cond_timedwait(&a->changed, &a->lock, &until);
	}
	unsigned got = *counter;
	pthread_mutex_unlock(&a->lock);
	assert_int_equal(got, want);
}
