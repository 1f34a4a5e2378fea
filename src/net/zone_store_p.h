/* net/zone_store_p.h -- the private header of zone_store*.c.
 *
 * zone_store.c has the marks, and the thread that takes them.  zone_store_write.c brings one file up to date.  zone_store_restore.c reads
 * files at the start.
 */
#pragma once

#include "net/zone_store.h"

#include <pthread.h>
#include <stdatomic.h>

#include "auth/saved_zone.h"
#include "base/list.h"
#include "zone/trie.h"

/* Where zones come from; entries refer to it by number, since many have the same one. */
struct stored_source {
	struct key_address address;
	uint16_t port;
	struct name key;
};

enum { STORED_SOURCES_MAX = FOLLOWER_SOURCES_MAX + 1 }; /* number 0: none is known */

struct stored {
	/* under the lock */
	struct list_link mark;         /* linked: it waits */
	uint64_t refreshed_s, changed_s;
	uint16_t source;
	bool is_withdrawn, is_unlisted;
	bool is_held;                  /* a catalog's version that is broken, or was not read: the file keeps the last one that counts */
	bool is_whole_wanted;          /* the file's version is not one from which the history leads on */
	bool is_gone;
	bool has_failed;               /* to be written, the last time; the writer's own */
	/* what the file has; only the writer changes it, under the lock */
	bool is_there;
	bool has_withdrawn, has_unlisted;
	uint32_t serial, expire_s;
	uint64_t noted_s;
	struct saved_mark end;
	uint8_t apex_len;
	uint8_t apex[];                /* the trie uses the name in here as its key */
};

#define STORED_NAME_AT offsetof(struct stored, apex)

struct store_stats {
	_Atomic uint64_t whole, changes, notes, removed, failed, octets;
};

struct zone_store {
	int dir;
	const char *path;              /* of `dir` */
	const struct log *log;
	struct follow_bounds bounds;
	struct served *served;
	pthread_t thread;
	bool is_running;
	struct store_stats stats;
	/* the writer's own */
	bool is_dir_changed;           /* since it was last put on the disk */
	size_t failing_n;              /* zones that could not be written the last time */
	unsigned failures;             /* since there was none */
	unsigned revoked;              /* likewise: versions that went while they were written */
	uint64_t told_ms;              /* when that was last said; 0: never */
	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t is_marked;
	struct trie_txn entries;       /* of struct stored; never committed, but changed in place */
	struct list_link marks;
	size_t marks_n;
	uint64_t trouble_s;            /* since when something could not be written, and waits; 0: all is well */
	char trouble[80];
	uint64_t end_ms;               /* after that, the thread writes no more; 0: it is not to end */
	struct stored_source *sources[STORED_SOURCES_MAX];
	size_t sources_n;
};

/* ---- zone_store.c; all with the lock held ---- */

struct stored *stored_get(const struct zone_store *s, const uint8_t *apex);
err_t stored_put(struct zone_store *s, const uint8_t *apex, struct stored **out); /* E_NOMEM */
void stored_mark(struct zone_store *s, struct stored *e);

/* Is the file's time of the last refresh so old that the new one is to be noted?  Also if the clock was set back: else it would count as a
 * time to come. */
bool stored_is_note_due(const struct stored *e);

uint16_t stored_source_number(struct zone_store *s, const struct stored_source *of); /* 0: there is no room for it */

struct stored *stored_next(struct zone_store *s);             /* the zone whose turn it is, which is marked no more; NULL: none waits */

/* Brings its file up to date; the lock is released meanwhile, and the entry may be gone afterwards.  Returns the seconds for which the disk
 * is to be left alone, and the zone waits again then; 0: none. */
uint64_t stored_turn(struct zone_store *s, struct stored *e);

/* Without the lock: there is nothing to write just now. */
void stored_settle(struct zone_store *s);

/* ---- zone_store_write.c ---- */

/* Brings the file up to date.  E_BUSY: the version went while it was written, as zones change faster than the disk takes them; E_IO: errno
 * says why; E_NOMEM. */
err_t stored_write(struct zone_store *s, struct stored *e);
