/* bin/oprimary_load.h -- the loader: commits from the git side become views that are served, and updates become commits.
 *
 * A thread of its own takes what the git side tells, has auth/primary make the next view, publishes it, and
 * gives the old one back once nobody reads it.  Queries go on meanwhile.  Each file concerned is a line in
 * the log, and so is each finding in it, up to a limit a commit.  Between two pulls it sees to the updates that have come
 * (auth/updater.h).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "auth/primary.h"
#include "base/err.h"
#include "bin/oprimary_state.h"
#include "bin/oprimary_updates.h"
#include "git/ask.h"
#include "git/puller.h"
#include "git/side.h"
#include "net/notify_out.h"
#include "net/served.h"
#include "ops/log.h"
#include "ops/pulse.h"

enum {
	LOAD_INFO_LINES_MAX = 100,     /* of good news a commit; the rest at level debug */
	LOAD_TROUBLE_LINES_MAX = 1000, /* of bad news a commit; the rest is counted */
	LOAD_ABSENCE_MS = 3000,        /* without a git process before updates are answered SERVFAIL */
};

struct loader {
	const struct log *log;
	struct git_side *git;
	struct served *served;
	struct primary *primary;
	const struct server_conf *conf;
	struct inbox *inbox;
	struct notify_out *notify;                      /* tells secondaries of each view that is published */
	struct primary_state *state;                    /* what is seen here, for who asks how we are */
	enum serial_policy serial;
	void (*settled)(void *ctx, size_t zones, const char *status); /* each time a pull has come to its end: how things are */
	void (*lost)(void *ctx);                        /* there will be no git process any more */
	void *ctx;

	pthread_t thread;
	_Atomic size_t zones_octets; /* that the zones take which are served; any thread reads it */
	struct pulse pulse;        /* beats between two frames, and with each file of a commit */
	int wake;                  /* an eventfd */
	struct asker asker;
	struct puller puller;
	bool is_retry_wanted;      /* the commit is to be told again, since there is memory for what was rejected */
	struct updates updates;
	/* the commit under way */
	char commit[65];
	unsigned count[FILE_IGNORED + 1]; /* by enum zone_event */
	unsigned info_lines, trouble_lines, suppressed;
};

/* Where auth/primary reports to: for primary_new(). */
struct primary_log loader_primary_log(struct loader *l);

/* The fields of the first part are set by the caller, everything is borrowed.  E_NOMEM, E_IO. */
err_t loader_start(struct loader *l);

/* Any thread: there is something in the inbox, or to be given back.  For inbox_new() and served_new(), also before
 * loader_start(). */
void loader_wake(void *loader);

/* The loader's own thread: will a newer serial of the zone be written at once?  A secondary has a newer one than was served. */
bool loader_puts_off(void *loader, const struct zone *z);
void loader_on_notified(void *loader, const struct notifier_report *r); /* the notifier's thread */
void loader_on_ahead(void *loader, const struct secondary_event *e);

/* After git_side_close().  False when it is still busy after `limit_ms`: then nothing it uses may be freed.  Updates that wait go
 * without an answer. */
bool loader_join(struct loader *l, unsigned limit_ms);
