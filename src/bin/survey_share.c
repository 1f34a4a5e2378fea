#include "bin/survey_share.h"

#include <stddef.h>
#include <time.h>

#include "bin/survey.h"

void
survey_share_init(struct survey_share *h)
{
	pthread_condattr_t attr;
	*h = (struct survey_share){ .state = SHARE_IDLE };
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->changed, &attr);
	pthread_condattr_destroy(&attr);
}

void
survey_share_fini(struct survey_share *h)
{
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
}

static struct timespec
moment_in(unsigned ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* Waits for the other thread; the lock is held. */
static void
await(struct survey_share *h, unsigned limit_ms)
{
	const struct timespec end = moment_in(limit_ms);
	int failed = 0;
	while (failed == 0 && h->state != SHARE_DONE) {
		failed = pthread_cond_timedwait(&h->changed, &h->lock, &end);
	}
}

/* The end of waiting: takes the survey back, unless the other thread is at work on it.  The lock is held. */
static bool
take_back(struct survey_share *h, struct survey **s)
{
	bool is_done = h->state == SHARE_DONE;
	if (h->state == SHARE_AT_WORK) {
		h->state = SHARE_ABANDONED;
	} else {
		*s = h->survey;
		h->survey = NULL;
		h->state = SHARE_IDLE;
	}
	return is_done;
}

bool
survey_share_ask(struct survey_share *h, struct survey **s, unsigned limit_ms, void (*wake)(void *ctx), void *ctx)
{
	pthread_mutex_lock(&h->lock);
	if (h->state != SHARE_IDLE) { /* the other thread still has an earlier one */
		pthread_mutex_unlock(&h->lock);
		return false;
	}
	h->survey = *s;
	h->state = SHARE_ASKED;
	*s = NULL;
	pthread_mutex_unlock(&h->lock);
	atomic_store(&h->is_asked, true);
	wake(ctx);
	pthread_mutex_lock(&h->lock);
	await(h, limit_ms);
	bool is_done = take_back(h, s);
	pthread_mutex_unlock(&h->lock);
	return is_done;
}

/* NULL: nobody asks any more. */
static struct survey *
begin(struct survey_share *h)
{
	pthread_mutex_lock(&h->lock);
	struct survey *s = h->state == SHARE_ASKED ? h->survey : NULL;
	h->state = s != NULL ? SHARE_AT_WORK : h->state;
	pthread_mutex_unlock(&h->lock);
	return s;
}

static void
end(struct survey_share *h)
{
	struct survey *lost = NULL;
	pthread_mutex_lock(&h->lock);
	if (h->state == SHARE_ABANDONED) {
		lost = h->survey;
		h->survey = NULL;
		h->state = SHARE_IDLE;
	} else {
		h->state = SHARE_DONE;
		pthread_cond_signal(&h->changed);
	}
	pthread_mutex_unlock(&h->lock);
	survey_free(&lost);
}

void
survey_share_serve(struct survey_share *h, void (*add)(void *ctx, struct survey *s), void *ctx)
{
	if (!atomic_exchange(&h->is_asked, false)) {
		return;
	}
	struct survey *s = begin(h);
	if (s != NULL) {
		add(ctx, s);
		end(h);
	}
}
