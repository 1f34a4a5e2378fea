/* bin/oprimary_state.h -- how oprimary is, for who asks (auth/status.h): what the loader has seen last, and what others count.
 *
 * The loader writes, workers read; the lock is held for a copy of two kilobytes.
 */
#pragma once

#include <pthread.h>

#include "auth/daemon_state.h"
#include "auth/updater.h"
#include "git/link.h"

struct primary_state {
	pthread_mutex_t lock;
	char commit[65];          /* the loader's: that is served */
	struct daemon_state last; /* but for what others count */
};

void primary_state_init(struct primary_state *s, const char *remote);

/* The loader: a frame of the git side has been dealt with.  `err`: of a COMMIT, whether it could be taken; `pulls`: that were begun. */
void primary_state_on_frame(struct primary_state *s, const struct link_frame *f, err_t err, uint64_t pulls);

/* The loader: that commit is served. */
void primary_state_serves(struct primary_state *s, const char *commit);

/* The loader: what became of updates. */
void primary_state_count(struct primary_state *s, const struct updater_stats *u);

/* Any thread: a copy.  What others count is zero in it. */
void primary_state_read(struct primary_state *s, struct daemon_state *out);
