/* git/puller.h -- when the DNS side asks the git side for a pull.
 *
 * Any thread may want a pull.  The loader's thread asks the git side for it when its time has come (auth/pull_pace.h).
 * Each PULL has a number, so that the result of another pull, which the git side has begun before, is not taken for its
 * answer (git/link.h).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "auth/notify_repeats.h"
#include "auth/pull_pace.h"
#include "git/side.h"

struct puller {
	struct git_side *git;       /* set by the caller, borrowed */
	void (*wake)(void *ctx);    /* makes the loader's thread call puller_go_on() */
	void *ctx;
	/* the rest is zero */
	_Atomic unsigned wish;      /* enum pull_wish; the loader's thread has not seen it yet */
	atomic_bool is_whole;       /* the next COMMIT is to tell the whole tree */
	struct pull_pace pace;      /* of the loader's thread */
	uint64_t answered;          /* of the loader's thread: the newest PULL that was answered */
	pthread_mutex_t lock;
	struct notify_repeats repeats; /* under the lock */
	_Atomic uint64_t pulls;     /* the number of the newest PULL */
	_Atomic uint64_t notify_repeated; /* a counter */
};

void puller_init(struct puller *p);

/* Any thread: a pull is wanted.  No wish is lost; many in a short time make one pull. */
void puller_want(struct puller *p, enum pull_wish wish);

/* The same, and the next COMMIT is to tell the whole tree. */
void puller_want_whole(struct puller *p);

/* Any thread: a NOTIFY with this MAC was accepted.  False: the same NOTIFY came before, so it makes no pull. */
bool puller_on_notify(struct puller *p, const uint8_t mac[TSIG_MAC_PART]);

/* The functions below are for the loader's thread. */

/* There is a new git process: asks it for a pull at once. */
void puller_restart(struct puller *p);

/* If a pull is wanted and its time has come, asks the git side for it. */
void puller_go_on(struct puller *p);

/* Milliseconds until puller_go_on() has something to do, as poll() takes them; -1: it has nothing to do. */
int puller_wait_ms(const struct puller *p);

/* The newest PULL that is answered, this result of a pull (COMMIT, UPTODATE or FAILED) included. */
uint64_t puller_answered(const struct puller *p, const struct link_frame *result);

/* A pull has ended, with this result.  If the git side had begun it before the last PULL came, that PULL stays under way. */
void puller_end(struct puller *p, const struct link_frame *result);

/* The number that the next PULL will have. */
uint64_t puller_next(const struct puller *p);

/* True when a PULL was sent and is not answered yet. */
bool puller_is_pulling(const struct puller *p);
