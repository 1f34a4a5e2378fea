/* bin/oprimary_updates.h -- the ways in and out of the updater (auth/updater.h): inbox, git side, what is served, the log.
 *
 * One thread, the loader's.
 */
#pragma once

#include "auth/updater.h"
#include "git/ask.h"
#include "git/puller.h"
#include "net/inbox.h"
#include "net/served.h"
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
};

void updates_begin(struct updates *u);
void updates_end(struct updates *u); /* what waits is given back without an answer */

/* Takes what is in the inbox, asks for the pull that is wanted, and begins a batch if it can.  One at a time: between two the loader
 * hears the git side. */
void updates_go_on(struct updates *u);

/* Milliseconds until it is to go on, whatever comes; -1: when something comes. */
int updates_wait_ms(struct updates *u);

/* A PUSHED or PUSH_FAILED. */
void updates_on_frame(struct updates *u, const struct link_frame *f);

/* A pull has come to its end: COMMIT (applied or not), UPTODATE or FAILED.  Updates have their turn before the next pull, or they might
 * never have it. */
void updates_after_pull(struct updates *u, const struct link_frame *f);
