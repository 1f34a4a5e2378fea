/* net/served.h -- the published view (auth/view.h): all zones and keys that are served now.  One writer publishes a new view, and workers
 * read the current one without locks.
 *
 * A short read covers one batch of queries: the reader announces itself, takes the view, answers, and ends the read.  That costs a few
 * instructions and writes no shared cache line (liburcu, memb flavour).  The writer stores the pointer to the new view, then waits until
 * every reader that may have seen the old view has ended its read.
 *
 * A long read, for a zone transfer that may take minutes, pins the view that is served when it begins.  Versions of the view share memory.
 * So the memory that a new version replaced is freed only when neither the version before it nor any older version is pinned.  The writer
 * frees it, in the order of versions.
 *
 * One slow reader therefore keeps everything that was replaced since it began.  When that passes a limit, pins are revoked: those of the
 * oldest versions first, because they keep the most, until the rest is within the limit.  The version that was replaced last is never
 * revoked, however large it is, so that a reader that has just begun can finish.
 *
 * Threads: any number of readers, each between served_thread_begin() and served_thread_end(); one writer.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct view;
struct served;
struct served_pin; /* a published version; a reader has it from served_pin() until served_unpin() */

/* How many replaced versions are kept for pins.  Beyond that, the oldest pins are revoked. */
enum { SERVED_VERSIONS_MAX = 4096 };

struct served_conf {
	const struct view *first;  /* borrowed while it is served or pinned, as all views are */
	size_t octets_max;         /* octets of replaced versions that are kept for pins; beyond that, the oldest pins are revoked */

	/* Called on the writer's thread.  `old` comes from served_publish(), and is what only a replaced version and older ones have.
	 * release() frees it when nobody uses these versions any more.  octets() tells its size; NULL: the size does not count. */
	void (*release)(void *old);
	size_t (*octets)(const void *old);

	/* Neither of these may block; NULL: not wanted.  unpinned() is called on the thread that ended a long read, when served_reclaim()
	 * has something to free.  revoked() is called on the writer's thread, when pins were revoked: readers must look at theirs. */
	void (*unpinned)(void *ctx);
	void (*revoked)(void *ctx);
	void *ctx;
};

struct served *served_new(const struct served_conf *conf);
void served_free(struct served **s); /* NULL-safe; frees all versions; no reader may be left */

/* Each reading thread calls these once in its life. */
void served_thread_begin(void);
void served_thread_end(void);

/* Short read, for one batch: the view is valid until served_read_end() on the same thread.  Never blocks.  The writer waits for the end
 * of the read, so nothing may block in between. */
const struct view *served_read(struct served *s);
void served_read_end(struct served *s);

/* Long read: the view that is served now, valid on any thread until served_unpin(). */
const struct view *served_pin(struct served *s, struct served_pin **pin);
void served_unpin(struct served *s, struct served_pin **pin); /* NULL-safe; *pin is NULL afterwards */

/* True when too much is kept because of this pin.  Its reader must then give up. */
bool served_pin_is_revoked(const struct served_pin *pin);

/* For a revoked pin: the octets that its version and all later replaced versions kept when it was revoked.  Else 0. */
size_t served_pin_kept_octets(const struct served_pin *pin);

/* Writer: allocates what the next served_publish() needs.  Without this call served_publish() aborts when memory is short.  E_NOMEM. */
err_t served_reserve(struct served *s);

/* Publishes, and waits until every short read of the view before has ended.  `old` is what only that view and older ones have.  It is
 * released once nobody uses any of these: now, or in a later served_publish() or served_reclaim().  A reading thread must not call this
 * during its read. */
void served_publish(struct served *s, const struct view *next, void *old);

/* Writer: frees what nobody uses any more. */
void served_reclaim(struct served *s);

/* Any thread: how many replaced versions are kept for pins, and their octets. */
struct served_kept {
	size_t versions, octets;
};
struct served_kept served_kept(struct served *s);
