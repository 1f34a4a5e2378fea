/* net/served.h -- the view that is being served: one writer publishes, workers read without locks.
 *
 * A brief reader announces itself, takes the view, answers a batch and lets go; that costs a few
 * instructions and no shared cache line is written (liburcu, memb flavour).  The writer stores the
 * new view with one pointer and waits until every reader that may have seen the old one has let go.
 *
 * A long reader (a zone transfer may take minutes) pins the view that is served when it begins.  Versions share
 * memory, so what a new version replaced is given back once neither the version before it nor any older one is
 * pinned: in order, by the writer.
 *
 * So one slow reader keeps all that was replaced since it began.  Where that passes a limit the pins that hold the most are revoked, those
 * of the oldest versions, until the rest is within it.  The version that was replaced last is never revoked, however large: a reader that
 * has just begun may end.
 *
 * Threads: any number of readers, each between served_thread_begin() and served_thread_end(); one writer.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct view;
struct served;
struct served_pin;

/* Versions that are kept for the oldest pin; beyond them it is revoked. */
enum { SERVED_VERSIONS_MAX = 4096 };

struct served_conf {
	const struct view *first;  /* borrowed, as all views, for as long as it is served or pinned */
	size_t octets_max;         /* of replaced versions that are kept for pins; beyond them the oldest are revoked */

	/* Writer's thread.  What only a replaced version and older ones have, the `old` of served_publish(): nobody has it any more; how
	 * much it is (NULL: nothing). */
	void (*release)(void *old);
	size_t (*octets)(const void *old);

	/* Something can be given back by served_reclaim(); on the thread that let go.  Neither may block; NULL: not wanted. */
	void (*unpinned)(void *ctx);
	void (*revoked)(void *ctx); /* pins were revoked: their readers are to look; on the writer's thread */
	void *ctx;
};

struct served *served_new(const struct served_conf *conf);
void served_free(struct served **s); /* NULL-safe; gives back all; no reader may be left */

/* Once in the life of each reading thread. */
void served_thread_begin(void);
void served_thread_end(void);

/* Brief read, for one batch: good until served_read_end() on the same thread.  Never blocks.  The writer
 * waits for it, so nothing that can block may stand between the two. */
const struct view *served_read(struct served *s);
void served_read_end(struct served *s);

/* Long read.  The view that is served now, until served_unpin(), on any threads. */
const struct view *served_pin(struct served *s, struct served_pin **pin);
void served_unpin(struct served *s, struct served_pin **pin); /* NULL-safe; *pin is NULL afterwards */

/* Has the view grown so old that keeping it costs too much?  Then its reader is to give up. */
bool served_pin_is_revoked(const struct served_pin *pin);

/* Of a revoked pin: the octets that were kept because of it, and of others as old. */
size_t served_pin_held(const struct served_pin *pin);

/* Writer: memory for the next served_publish(), which takes it by force otherwise.  E_NOMEM. */
err_t served_reserve(struct served *s);

/* Publishes, and waits until no brief reader has the view before.  `old` is what only that view and older ones have: it is
 * released once nobody has any of these: now, or in a later served_publish() or served_reclaim().  Not from a reading thread while it
 * reads. */
void served_publish(struct served *s, const struct view *next, void *old);

/* Writer: gives back what nobody has any more. */
void served_reclaim(struct served *s);

/* Any thread: versions that are kept for those that have pinned them, and their octets. */
struct served_kept {
	size_t versions, octets;
};
struct served_kept served_kept(struct served *s);
