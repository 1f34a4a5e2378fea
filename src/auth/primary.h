/* auth/primary.h -- makes views of commits: decides which file is which zone, and what is served when a file is bad.
 *
 * Keeps for each file the zone or the keys that were made of it.  When a zone file fails its checks, the last good version of
 * the zone is still served.  The same holds for a zone that would vanish, or lose too much at once, until a commit says that the
 * loss is intended.  The rest of the commit is served.
 *
 * Pure: files come in as bytes, the next view goes out; the caller publishes it, and frees the old one once nobody reads it.
 * One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/next_view.h"
#include "auth/source.h"
#include "auth/view.h"
#include "base/diag.h"
#include "base/err.h"
#include "zone/master.h"

enum source_change_kind { SOURCE_PUT, SOURCE_REMOVE };

/* One change of a commit against the commit before.  Paths are relative to the root of the tree, and each occurs once.  Files
 * below the root, which only $INCLUDE can reach, come without bytes. */
struct source_change {
	enum source_change_kind kind;
	const char *path;
	const uint8_t *bytes; /* NULL: the file is read with source_commit.open when it is needed */
	size_t len;
	const char *refused;  /* not NULL: why the file cannot be a zone (a symlink, a submodule, too large, not text) */
};

/* The beginning of a file in an older commit. */
struct source_past {
	const char *path;
	const uint8_t *bytes;
	size_t len;
};

struct source_commit {
	char id[65];
	bool allow_mass_delete; /* one of the commits since the last one applied has the trailer "Origin-Allow: mass-delete"; it
	                         * holds for all of them */
	const char *const *allowed; /* files that were changed by commits of updates with the trailer: they may lose records */
	size_t allowed_n;
	const struct source_change *changes;
	size_t n;
	const struct source_past *past; /* with a whole tree: files as they were in older commits, oldest first */
	size_t past_n;
	bool is_whole;          /* the whole tree, not a difference: a file that is not listed is gone */
	uint64_t now_s;         /* the current time */
	void *ctx;
	err_t (*open)(void *ctx, const char *path, struct master_text *out); /* any file of this commit */
	void (*close)(void *ctx, struct master_text *text);
};

/* What to do when a zone changed, but its serial did not grow. */
enum serial_policy {
	SERIAL_KEEP,      /* serve the zone, with a warning */
	SERIAL_INCREMENT, /* and write the next serial into the file */
	SERIAL_UNIXTIME,  /* and write the time as serial into the file */
};

struct primary_conf {
	unsigned delete_zones_percent;   /* 50: a commit that removes more of the zones needs the trailer; 100: no limit */
	unsigned delete_records_percent; /* 50: the same for the records of a zone with more than delete_records_min records */
	size_t delete_records_min;       /* 100 */
	enum serial_policy serial;
	struct name catalog;             /* name of the catalog zone (auth/catalog.h); len 0: there is none */
	bool drops_outside;              /* records outside of their zone are dropped with a warning, instead of an error */
	size_t includes_max, included_max; /* 0: MASTER_ALL_INCLUDES_MAX, MASTER_ALL_INCLUDED_MAX */
	bool zones_by_update;            /* updates may make and remove zones (auth/batch.h) */
	size_t octets_max;               /* memory that all zones, keys and secondaries may take, including those that are being made;
	                                  * 0: no limit */
	const struct alloc_source *key_memory; /* for keys (keystore_new()) */
};

enum zone_event {
	ZONE_LOADED,
	ZONE_CHANGED,
	ZONE_REMOVED,
	ZONE_REJECTED,     /* the last good version, if there is one, is still served */
	ZONE_HELD,         /* the zone would vanish, or lose too much: the last good version is still served */
	ZONE_SERIAL_STUCK, /* served, but other content was served with its serial */
	ZONE_SERIAL_BACK,  /* served, but its serial is not newer than one that was served */
	KEYS_LOADED,
	KEYS_REJECTED,
	KEYS_HELD,         /* without the old keys nobody could announce a push: they stay valid */
	SECONDARIES_LOADED,
	SECONDARIES_REJECTED,
	FILE_IGNORED,
};

/* One line for the log; each file concerned gets one or more. */
struct primary_report {
	enum zone_event event;
	const char *path;
	const struct zone *zone;     /* the version now served; NULL: none */
	uint32_t old_serial;         /* ZONE_CHANGED and ZONE_SERIAL_…: serial of the version before, or newest serial of a zone
	                              * that was gone */
	uint32_t newest_serial;      /* ZONE_SERIAL_…: newest serial that the zone was served with; the next must be newer (RFC
	                              * 1982) */
	size_t records, errors, warnings;
	const char *text;            /* "", or the reason */
};

struct primary_log {
	void (*report)(void *ctx, const struct primary_report *r);
	struct diag_sink diag;       /* each diagnostic of each file */
	void *ctx;
};

struct primary;
struct primary *primary_new(const struct primary_conf *conf, const struct primary_log *log);
void primary_free(struct primary **p); /* with all versions; call it after all discards, when there are no readers */

/* The result of a commit.  HELD: some of its zones are held back; the rest is in the next view. */
enum primary_outcome { PRIMARY_APPLIED, PRIMARY_HELD };

/* Makes the next view.  The caller publishes *out, waits until nobody reads the view before, and calls discard_free(old)
 * (auth/next_view.h).  Errors (E_NOMEM; E_FORMAT: a path occurs twice) change nothing. */
err_t primary_apply(struct primary *p, const struct source_commit *c, enum primary_outcome *outcome,
                    const struct view **out, struct discard **old);

/* Memory that the served versions take, with keys and secondaries, and that older versions take until they are discarded. */
size_t primary_octets(const struct primary *p);
size_t primary_kept_octets(const struct primary *p);
size_t primary_room(const struct primary *p); /* the rest of octets_max */

/* True when a file was rejected because there was not enough memory, and there is enough now.  The next commit reads that file
 * again, even a commit without changes. */
bool primary_has_room_again(const struct primary *p);

/* A secondary says that it has the zone with this serial.  OK: the next serial will be newer; *zone is the served version.
 * E_EXISTS: the serial was known.  E_LIMIT: it is not believed (zone/history.h).  E_NOTFOUND: the zone is not served any more. */
err_t primary_note_ahead(struct primary *p, const uint8_t *apex, uint32_t serial, const struct zone **zone);

const struct view *primary_view(const struct primary *p); /* the latest view; at first an empty one */
size_t primary_held_n(const struct primary *p);           /* zones that are held back */
size_t primary_held_keys_n(const struct primary *p);      /* keys files that are held back */

/* The safety valve holds back removals of too many zones or records, since they may be a mistake.  These two functions tell
 * beforehand whether it would hold back the removal of `removed` of `zones` zones, or the new version of a zone. */
bool primary_holds_removals(const struct primary_conf *c, size_t removed, size_t zones);
bool primary_holds_version(const struct primary_conf *c, const struct zone *old, const struct zone *new);
#define PRIMARY_VALVE { .delete_zones_percent = 50, .delete_records_percent = 50, .delete_records_min = 100 } /* by default */
#define PRIMARY_TRAILER "Origin-Allow: mass-delete"
