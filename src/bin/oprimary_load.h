/* bin/oprimary_load.h -- the loader: it turns commits of the git side into views that are served, and updates into commits.
 *
 * It is a thread.  It takes messages of the git side, has auth/primary make the next view, publishes that, and frees the old one when
 * nobody reads it any more.  Queries are answered meanwhile.  It logs a line for each file of a commit and for each finding in the file,
 * up to a limit.  Between two pulls it handles updates (auth/updater.h).
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
	LOAD_INFO_LINES_MAX = 100,     /* lines at level info for each commit; further ones are logged at level debug */
	LOAD_TROUBLE_LINES_MAX = 1000, /* warnings and errors for each commit; further ones are only counted */
	LOAD_ABSENCE_MS = 3000,        /* how long the git process may be gone before updates are answered with SERVFAIL */
};

struct loader {
	const struct log *log;
	struct git_side *git;
	struct served *served;
	struct primary *primary;
	const struct server_conf *conf;
	struct inbox *inbox;
	struct notify_out *notify;                      /* notifies secondaries when a view was published */
	struct primary_state *state;                    /* the loader notes here what happens, for octl and others */
	enum serial_policy serial;
	void (*settled)(void *ctx, size_t zones, const char *status); /* at the end of each pull: what is served now */
	void (*lost)(void *ctx);                        /* the git process has ended, and cannot be restarted */
	void *ctx;

	pthread_t thread;
	_Atomic size_t zones_octets; /* of the zones, keys and secondaries that are served; any thread reads it */
	struct pulse pulse;        /* beats between two messages, and with each file of a commit */
	int wake;                  /* an eventfd */
	struct asker asker;
	struct puller puller;
	bool is_retry_wanted;      /* the git side will send the commit again, without being asked */
	struct updates updates;
	/* the current commit */
	char commit[65];
	unsigned count[FILE_IGNORED + 1]; /* by enum zone_event */
	unsigned info_lines, trouble_lines, suppressed;
};

/* How auth/primary reports to the loader; for primary_new(). */
struct primary_log loader_primary_log(struct loader *l);

/* Starts the thread.  The caller has set the fields of the first part; all of them are borrowed.  E_NOMEM, E_IO. */
err_t loader_start(struct loader *l);

/* Any thread: the inbox has something, or memory can be freed.  For inbox_new() and served_new(), which may call it before
 * loader_start(). */
void loader_wake(void *loader);

/* On the loader's thread: true when a newer serial of the zone will be written at once, so that NOTIFY waits for it. */
bool loader_puts_off(void *loader, const struct zone *z);
/* On the notifier's thread: a notification was answered or given up. */
void loader_on_notified(void *loader, const struct notifier_report *r);
/* On the loader's thread: a secondary has a newer serial than we have served. */
void loader_on_ahead(void *loader, const struct secondary_event *e);

/* After git_side_close().  False: the thread is still busy after `limit_ms`, so nothing that it uses may be freed.  Waiting updates get no
 * answer. */
bool loader_join(struct loader *l, unsigned limit_ms);
