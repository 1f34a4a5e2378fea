/* git/puller.h -- when the DNS side asks the git side for a pull.
 *
 * Any thread may want one.  The loader's thread asks for it, when its time has come (auth/pull_pace.h).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "auth/notify_repeats.h"
#include "auth/pull_pace.h"
#include "git/side.h"

struct puller {
	struct git_side *git;       /* set by the caller, borrowed */
	void (*wake)(void *ctx);    /* has the loader's thread come to puller_go_on() */
	void *ctx;
	/* the rest is zero */
	_Atomic unsigned wish;      /* enum pull_wish, not seen by the loader yet */
	atomic_bool is_whole;       /* the next COMMIT is to tell everything */
	struct pull_pace pace;      /* the loader's */
	pthread_mutex_t lock;
	struct notify_repeats repeats; /* under the lock */
	_Atomic uint64_t pulls, notify_repeated; /* counters */
};

void puller_init(struct puller *p);

/* Any thread: a pull is wanted.  None is lost; many in a short time are one. */
void puller_want(struct puller *p, enum pull_wish wish);

/* The same, and the COMMIT that comes of it is to tell the whole tree. */
void puller_want_whole(struct puller *p);

/* Any thread: a NOTIFY was accepted, with that MAC.  False: it has come before, and nothing follows. */
bool puller_on_notify(struct puller *p, const uint8_t mac[TSIG_MAC_PART]);

/* What follows is for the loader's thread. */

/* There is a new git process, which pulls first of all. */
void puller_restart(struct puller *p);

/* Asks for the pull that is wanted, if its time has come. */
void puller_go_on(struct puller *p);

/* Milliseconds until puller_go_on() has something to do, as poll() takes them; -1: nothing. */
int puller_wait_ms(const struct puller *p);

/* A pull has come to its end. */
void puller_end(struct puller *p, bool has_brought);

/* Is there a result to come of a pull that was asked for? */
bool puller_is_pulling(const struct puller *p);
