/* bin/survey_share.h -- a survey to which another thread adds what it alone knows.
 *
 * The asking thread lends its survey, wakes the other one, and waits for a limited time.  The other thread calls survey_share_serve()
 * whenever it is woken; while nobody asks, that is a look at one flag.  It never waits for the asking thread.  When it comes too late, the
 * asking thread has its survey back, without what the other would have added; or, when the other is at work on it just then, the survey
 * becomes the other thread's, which frees it.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct survey;

enum survey_share_state { SHARE_IDLE, SHARE_ASKED, SHARE_AT_WORK, SHARE_DONE, SHARE_ABANDONED };

struct survey_share {
	atomic_bool is_asked;    /* a hint */
	pthread_mutex_t lock;    /* for the rest; held for a few instructions */
	pthread_cond_t changed;
	enum survey_share_state state;
	struct survey *survey;   /* lent */
};

void survey_share_init(struct survey_share *h);
void survey_share_fini(struct survey_share *h); /* no thread uses it any more */

/* The asking thread.  `wake` makes the other one call survey_share_serve().  False: it came too late; *s is NULL if the survey is lost. */
bool survey_share_ask(struct survey_share *h, struct survey **s, unsigned limit_ms, void (*wake)(void *ctx), void *ctx);

/* The other thread: adds, if somebody asks. */
void survey_share_serve(struct survey_share *h, void (*add)(void *ctx, struct survey *s), void *ctx);
