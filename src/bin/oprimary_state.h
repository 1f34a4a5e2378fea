/* bin/oprimary_state.h -- oprimary's state, for octl and others who ask for it (auth/status.h): what the loader has seen last, counters of
 * other parts, and the serials that secondaries have.
 *
 * Each of the two locks is held only for a lookup and a copy of a kilobyte, never while memory is allocated or freed.  A question about
 * secondaries takes one of them for each zone that it looks at.
 */
#pragma once

#include <pthread.h>

#include "auth/daemon_state.h"
#include "auth/notifier.h"
#include "auth/secondary_table.h"
#include "auth/updater.h"
#include "git/link.h"
#include "net/env.h"

/* What pulls and pushes came to, by enum err; those from the cache do not count. */
struct primary_counts {
	uint64_t pulls[E_COUNT], pushes[E_COUNT];
	uint64_t fetched_s;       /* the last pull that went well; 0: none yet */
	uint64_t commits_served;
};

struct primary_state {
	pthread_mutex_t lock;
	char commit[65];          /* the commit that is served; only the loader uses it */
	struct daemon_state last; /* without the counters of other parts */
	struct primary_counts counts;
	pthread_mutex_t secondaries_lock;
	struct secondary_table secondaries;
};

void primary_state_init(struct primary_state *s, const char *remote);
void primary_state_fini(struct primary_state *s);

/* The loader: a message of the git side was handled.  `err`: for a COMMIT, whether it could be applied; `pull`: the
 * newest PULL that is answered by now. */
void primary_state_on_frame(struct primary_state *s, const struct link_frame *f, err_t err, uint64_t pull);

/* The loader: this commit is served now. */
void primary_state_serves(struct primary_state *s, const char *commit);

/* The loader: the counters of updates. */
void primary_state_count(struct primary_state *s, const struct updater_stats *u);

/* Any thread: copies the state.  Counters of other parts are zero in the copy. */
void primary_state_read(struct primary_state *s, struct daemon_state *out);
void primary_state_read_counts(struct primary_state *s, struct primary_counts *out);

/* The loader: the zone was removed. */
void primary_state_forget(struct primary_state *s, const uint8_t *zone);

/* The notifier: a notification was answered or given up.  Any worker: a transfer has ended. */
void primary_state_on_notified(struct primary_state *s, const struct notifier_report *r);
void primary_state_on_transferred(struct primary_state *s, const struct net_transferred *t);

/* Any thread: copies the rows of a zone's secondaries; returns their number. */
size_t primary_state_secondaries(struct primary_state *s, const uint8_t *zone, struct secondary_row out[SECONDARY_OF_ZONE_MAX]);
