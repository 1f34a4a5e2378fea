/* net/served.h -- the view that is being served: one writer publishes, workers read without locks.
 *
 * A reader announces itself, takes the view, answers a batch and lets go; that costs a few
 * instructions and no shared cache line is written (liburcu, memb flavour).  The writer stores the
 * new view with one pointer and waits until every reader that may have seen the old one has let go;
 * from then on the old one is the writer's alone.
 *
 * Threads: any number of readers, each between served_thread_begin() and served_thread_end(); one writer.
 */
#pragma once

#include "base/err.h"

struct view;
struct served;

struct served *served_new(const struct view *first); /* borrowed for as long as it is served */
void served_free(struct served **s);                 /* NULL-safe; no reader may be left */

/* Once in the life of each reading thread. */
void served_thread_begin(void);
void served_thread_end(void);

/* Brief read, for one batch: good until served_read_end() on the same thread.  Never blocks.  The writer
 * waits for it, so nothing that can block may stand between the two. */
const struct view *served_read(struct served *s);
void served_read_end(struct served *s);

/* Publishes and waits: after it nobody reads the view before.  Not from a reading thread while it
 * reads. */
void served_publish(struct served *s, const struct view *next);
