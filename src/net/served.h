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

/* `first` is borrowed, as all views, for as long as it is served or pinned.  `unpinned` (may be NULL) is called when something
 * can be given back by served_reclaim(), on the thread that let go: it must not block. */
struct served *served_new(const struct view *first, void (*unpinned)(void *ctx), void *ctx);
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

/* Publishes, and waits until no brief reader has the view before.  `old` is what only that view and older ones have: it goes to
 * `release`, on the writer's thread, once nobody has any of these: now, or in a later served_publish() or
 * served_reclaim().  Not from a reading thread while it reads. */
void served_publish(struct served *s, const struct view *next, void *old, void (*release)(void *old));

/* Writer: gives back what nobody has any more. */
void served_reclaim(struct served *s);

/* Any thread: versions that are kept for those that have pinned them. */
size_t served_versions_kept(struct served *s);
