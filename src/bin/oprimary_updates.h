/* bin/oprimary_updates.h -- connects the updater (auth/updater.h) to the inbox, the git side, the published view and the log.
 *
 * One thread, the loader's.
 */
#pragma once

#include "auth/updater.h"
#include "git/ask.h"
#include "git/puller.h"
#include "net/inbox.h"
#include "net/served.h"
#include "ops/histogram.h"
#include "ops/log.h"

struct updates {
	/* set by the caller; borrowed */
	const struct log *log;
	struct git_side *git;
	struct puller *puller;
	struct served *served;
	struct primary *primary;
	const struct server_conf *conf;
	struct inbox *inbox;
	struct asker *asker;
	void (*changed)(void *ctx); /* a new view was published */
	void *ctx;
	/* the rest is zero */
	struct updater *updater;
	uint64_t asked;             /* the PULL that the updater has asked for last */
	struct histogram push_us, batch; /* of pushes that went well: how long they took, and updates in them; any thread may read */
};

extern const struct histogram_bounds updates_push_bounds, updates_batch_bounds;

void updates_begin(struct updates *u);
void updates_end(struct updates *u); /* updates that still wait get no answer */

/* Takes updates from the inbox, asks for a pull if one is wanted, and begins a batch if possible.  Only one batch: before the next one the
 * loader reads messages of the git side. */
void updates_go_on(struct updates *u);

/* Milliseconds until updates_go_on() must be called; -1: not before something comes. */
int updates_wait_ms(struct updates *u);

/* The git side has sent PUSHED or PUSH_FAILED. */
void updates_on_frame(struct updates *u, const struct link_frame *f);

/* A pull has ended: COMMIT (applied or not), UPTODATE or FAILED.  To be called after puller_end().  Updates are handled before the next
 * pull; otherwise pulls without pause would leave them no turn. */
void updates_after_pull(struct updates *u, const struct link_frame *f);
