/* auth/primary.h -- from commits to views: which file is which zone, and what becomes of a bad one.
 *
 * Keeps for each file what was made of it.  A zone file that fails its checks leaves the last good
 * version served; so does a zone that would vanish or lose too much at once, until somebody says that it is meant; everything
 * else of the commit goes on.  Pure:
 * files come in as bytes, the next view goes out; the caller publishes it and frees the old one
 * once nobody reads it.  One thread.
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

/* What one commit changed against the one before; paths are relative to the root of the tree, and each is there once.
 * Files below the root (which only $INCLUDE can reach) come without bytes. */
struct source_change {
	enum source_change_kind kind;
	const char *path;
	const uint8_t *bytes; /* NULL: read it with source_commit.open when it is needed */
	size_t len;
	const char *refused;  /* not NULL: this cannot be a zone (a symlink, a submodule, too large, not text): why */
};

/* How a file began in an older commit. */
struct source_past {
	const char *path;
	const uint8_t *bytes;
	size_t len;
};

struct source_commit {
	char id[65];
	bool allow_mass_delete; /* trailer "Origin-Allow: mass-delete" in one of the commits since the last: also for what these did */
	const char *const *allowed; /* files that commits of updates with the trailer changed: what they lose is meant */
	size_t allowed_n;
	const struct source_change *changes;
	size_t n;
	const struct source_past *past; /* with a whole tree: what files were in older commits, oldest first */
	size_t past_n;
	bool is_whole;          /* the whole tree, not a difference: what it does not list is gone */
	uint64_t now_s;         /* the time: for serial numbers of our own */
	void *ctx;
	err_t (*open)(void *ctx, const char *path, struct master_text *out); /* any file of this commit */
	void (*close)(void *ctx, struct master_text *text);
};

/* What becomes of a change whose serial did not grow. */
enum serial_policy {
	SERIAL_KEEP,      /* it is served, with a warning */
	SERIAL_INCREMENT, /* one more is written into the file */
	SERIAL_UNIXTIME,  /* the time is */
};

struct primary_conf {
	unsigned delete_zones_percent;   /* 50: more of the zones than this needs the trailer; 100: none is ever held back */
	unsigned delete_records_percent; /* 50, for zones of over delete_records_min records */
	size_t delete_records_min;       /* 100 */
	enum serial_policy serial;
	struct name catalog;             /* of the catalog zone (auth/catalog.h); len 0: there is none */
	bool drops_outside;              /* records outside of their zone: dropped, not an error */
	size_t includes_max, included_max; /* 0: MASTER_ALL_INCLUDES_MAX, MASTER_ALL_INCLUDED_MAX */
	bool zones_by_update;            /* updates may make zones and remove them (auth/batch.h) */
	size_t octets_max;               /* of memory that all zones may take, also while they are made; 0: no limit */
};

enum zone_event {
	ZONE_LOADED,
	ZONE_CHANGED,
	ZONE_REMOVED,
	ZONE_REJECTED,     /* the last good version, if any, is served on */
	ZONE_HELD,         /* it would vanish, or lose too much: the last good version is served on */
	ZONE_SERIAL_STUCK, /* served, but other content was served with its serial */
	ZONE_SERIAL_BACK,  /* served, but its serial is not newer than one that was served */
	KEYS_LOADED,
	KEYS_REJECTED,
	KEYS_HELD,         /* without the file nobody could announce a push: its last good keys go on */
	SECONDARIES_LOADED,
	SECONDARIES_REJECTED,
	FILE_IGNORED,
};

/* One line for the log, for each file concerned. */
struct primary_report {
	enum zone_event event;
	const char *path;
	const struct zone *zone;     /* the version now served; NULL: none */
	uint32_t old_serial;         /* ZONE_CHANGED and ZONE_SERIAL_…: of the version before, or the newest of a zone that was gone */
	uint32_t newest_serial;      /* ZONE_SERIAL_…: that the zone was served with; the next must be newer (RFC 1982) */
	size_t records, errors, warnings;
	const char *text;            /* "" or why */
};

struct primary_log {
	void (*report)(void *ctx, const struct primary_report *r);
	struct diag_sink diag;       /* each diagnostic of each file */
	void *ctx;
};

struct primary;
struct primary *primary_new(const struct primary_conf *conf, const struct primary_log *log);
void primary_free(struct primary **p); /* with all it serves, after all discards: no reader may be left */

/* What became of a commit.  HELD: zones of it are held back; all else of it is in the next view. */
enum primary_outcome { PRIMARY_APPLIED, PRIMARY_HELD };

/* Makes the next view.  The caller publishes *out, waits until nobody reads
 * the view before, and calls discard_free(old) (auth/next_view.h).  Errors (E_NOMEM; E_FORMAT: a path twice) leave all as it was. */
err_t primary_apply(struct primary *p, const struct source_commit *c, enum primary_outcome *outcome,
                    const struct view **out, struct discard **old);

/* What all that is served takes in memory, and what is kept of versions before until it is discarded. */
size_t primary_octets(const struct primary *p);
size_t primary_kept_octets(const struct primary *p);
size_t primary_room(const struct primary *p); /* what is left of octets_max */

/* Is there a zone that was rejected for want of memory, and memory for it by now?  The next commit reads it again, also one that is
 * the same as before. */
bool primary_has_room_again(const struct primary *p);

/* A secondary says that it has a zone with that serial.  OK: the next serial is newer; *zone is what is served.  E_EXISTS: that was known;
 * E_LIMIT: it is not believed (zone/history.h).  E_NOTFOUND: the zone is not here any more. */
err_t primary_note_ahead(struct primary *p, const uint8_t *apex, uint32_t serial, const struct zone **zone);

const struct view *primary_view(const struct primary *p); /* the latest; an empty one at first */
size_t primary_held_n(const struct primary *p);           /* zones that are held back */
size_t primary_held_keys_n(const struct primary *p);      /* keys files that are */

/* The safety valve, for whoever asks beforehand.  Would so many removed of so many zones be held back?  Would a new version of a
 * zone? */
bool primary_holds_removals(const struct primary_conf *c, size_t removed, size_t zones);
bool primary_holds_version(const struct primary_conf *c, const struct zone *old, const struct zone *new);
#define PRIMARY_VALVE { .delete_zones_percent = 50, .delete_records_percent = 50, .delete_records_min = 100 } /* by default */
#define PRIMARY_TRAILER "Origin-Allow: mass-delete"
