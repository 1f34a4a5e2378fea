/* net/zone_store.h -- keeps the zones of a secondary in files, for its next run (auth/saved_zone.h, ops/state_dir.h).
 *
 * The following thread says which zone has changed or was refreshed: it marks the zone, and never waits for a disk.  A thread of the
 * store's own takes one marked zone after the other, pins the view that is served then, and writes what the file does not have yet: the
 * changes from the version in the file to the present one, as the zone's history has them; or the whole zone, if the history does not
 * reach back so far, or if the changes in the file have become half as large as the zone.  So what waits takes one mark a zone, however
 * often that changes, and no copy of data.
 *
 * A change is appended without waiting for the disk: if the power fails, it may be lost, and is transferred again.  A whole zone takes the
 * place of its file when it is on the disk.
 *
 * That a zone was refreshed is noted when the time in the file is older than this by a sixteenth of EXPIRE (within the bounds).  So a
 * zone may expire that much too early after a start, and never too late; and a fleet of quiet zones costs next to nothing.
 *
 * When a file cannot be written, nothing else changes: the zone stays marked, and is tried again after 1, 2, 4, ... up to
 * ZONE_STORE_PAUSE_MAX_S seconds.  So it is when the memory of a version is wanted before it is written.
 *
 * Of a catalog the last version that is not broken, and was read, is kept, since what that lists is followed on.
 *
 * A file that is damaged is set aside, and the zone is transferred anew.  A file that is none of ours, or of another version's format, is
 * never removed.  A file of a zone that nobody follows any more is left alone until
 * the zone would have expired: the keys may come back.
 *
 * Threads: as each function says.  All but zone_store_open() take a NULL store, and do nothing then: without a directory nothing is kept.
 */
#pragma once

#include "auth/daemon_state.h"
#include "auth/follower.h"
#include "base/diag.h"
#include "base/err.h"
#include "net/served.h"
#include "ops/log.h"
#include "ops/privs.h"

enum {
	ZONE_STORE_FILES = 8,           /* descriptors that it may need */
	ZONE_STORE_PAUSE_MAX_S = 300,
	ZONE_STORE_TOLD_S = 600,        /* that files cannot be written is said no more often */
	ZONE_STORE_NOTE_PART = 16,      /* of EXPIRE */
	ZONE_STORE_DAMAGED_MAX = 16,    /* of damaged files, so many are kept */
};

struct zone_store;

struct zone_store_conf {
	const char *path;               /* borrowed: of the directory, which is made if need be, */
	const struct privs_who *user;   /* for this user */
	const struct follow_bounds *bounds; /* that the follower has, too */
	const struct log *log;          /* borrowed */
};

/* The main thread, before privileges are dropped.  E_BUSY: another process has the directory; E_IO. */
err_t zone_store_open(const struct zone_store_conf *conf, struct zone_store **out, struct diag *diag);
void zone_store_free(struct zone_store **s);
int zone_store_dir(const struct zone_store *s); /* the descriptor of the directory */

/* The main thread, before zone_store_start(): gives the zones of an earlier run to follower_restore(), catalogs first.  `room`: memory that
 * the next zone may take. */
void zone_store_restore(struct zone_store *s, struct follower *f, size_t (*room)(void *ctx), void *ctx);

/* Starts the thread.  E_NOMEM. */
err_t zone_store_start(struct zone_store *s, struct served *served);

/* Writes what is marked, and ends the thread.  False: it is still busy after `limit_ms`, so nothing that it uses
 * may be freed. */
bool zone_store_stop(struct zone_store *s, unsigned limit_ms);

/* The following thread: takes what concerns files out of what the follower reports.  A version that it reports is served by then. */
void zone_store_on_report(struct zone_store *s, const struct follow_report *r);
void zone_store_forget(struct zone_store *s, const uint8_t *apex); /* the zone is FORGOTTEN */

void zone_store_log_stats(const struct zone_store *s); /* any thread */
void zone_store_tell(void *store, struct kept_state *out); /* any thread: for server_conf.kept; not NULL */
