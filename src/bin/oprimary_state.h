/* bin/oprimary_state.h -- how oprimary is, for who asks (auth/status.h): what the loader has seen last, what others count, and how far
 * secondaries are.
 *
 * Each lock is held for a copy of a kilobyte, a lookup, or an allocation.
 */
#pragma once

#include <pthread.h>

#include "auth/daemon_state.h"
#include "auth/notifier.h"
#include "auth/secondary_table.h"
#include "auth/updater.h"
#include "git/link.h"
#include "net/env.h"

struct primary_state {
	pthread_mutex_t lock;
	char commit[65];          /* the loader's: that is served */
	struct daemon_state last; /* but for what others count */
	pthread_mutex_t secondaries_lock;
	struct secondary_table secondaries;
};

void primary_state_init(struct primary_state *s, const char *remote);
void primary_state_fini(struct primary_state *s);

/* The loader: a frame of the git side has been dealt with.  `err`: of a COMMIT, whether it could be taken; `pulls`: that were begun. */
void primary_state_on_frame(struct primary_state *s, const struct link_frame *f, err_t err, uint64_t pulls);

/* The loader: that commit is served. */
void primary_state_serves(struct primary_state *s, const char *commit);

/* The loader: what became of updates. */
void primary_state_count(struct primary_state *s, const struct updater_stats *u);

/* Any thread: a copy.  What others count is zero in it. */
void primary_state_read(struct primary_state *s, struct daemon_state *out);

/* The loader: the zone is gone. */
void primary_state_forget(struct primary_state *s, const uint8_t *zone);

/* The notifier: what became of a notification.  Any worker: a transfer has ended. */
void primary_state_on_notified(struct primary_state *s, const struct notifier_report *r);
void primary_state_on_transferred(struct primary_state *s, const struct net_transferred *t);

/* Any thread: the rows of a zone; returns how many. */
size_t primary_state_secondaries(struct primary_state *s, const uint8_t *zone, struct secondary_row out[SECONDARY_OF_ZONE_MAX]);
